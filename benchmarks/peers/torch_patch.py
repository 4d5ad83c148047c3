"""Patching by PyTorch: one run per (depth, token) as interpretability libraries do it, and batched by depth as one could."""

import sys

import numpy as np
import torch

import common
import gpt2_torch
from gpt2_torch import ATTENTION, Gpt2


def full_loop(model, own, donor, last):
    """A forward pass from the embeddings for every cell, with the residual replaced on the way: the way of hooks."""
    mask = model.mask(last + 1)
    values = []
    for depth, token in cells(model, last):
        x = own[0]
        for l in range(model.layers + 1):
            if l == depth:
                x = replaced(x, donor[l], token)
            if l < model.layers:
                x = model.block(l, x, mask)
        values.append(model.value(x))
    return torch.stack(values)


def suffix_loop(model, own, donor, last):
    """Only the blocks after the patch, one cell at a time."""
    return torch.stack([
        model.value(model.suffix(replaced(own[depth], donor[depth], token), depth)) for depth, token in cells(model, last)])


def by_depth(model, own, donor, last):
    """All cells of a depth as one batch."""
    values = []
    for depth in range(model.layers + 1):
        tokens = range(last + 1) if depth < model.layers else [last]
        batch = torch.stack([replaced(own[depth], donor[depth], token) for token in tokens])
        values.append(model.value(model.suffix(batch, depth)))
    return torch.cat(values)


def replaced(x, by, token):
    x = x.clone()
    x[token] = by[token]
    return x


def cells(model, last):
    """Every site that can change F: at the final depth only the last token."""
    return [(depth, token) for depth in range(model.layers) for token in range(last + 1)] + [(model.layers, last)]


# What each is called in the table, and the forms of it that are tried.
PEERS = {
    "torch cell loop": {"full": full_loop, "suffix": suffix_loop},
    "torch batched by depth": {"batch": by_depth},
}


def run(args, model, work):
    last = work["tokens"] - 1
    outcomes = {}
    with torch.no_grad():
        own, donor = model.residuals(0, last + 1), model.residuals(1, last + 1)
        for peer, ways in PEERS.items():
            def prepare(choice):
                model.attention = ATTENTION[choice["attention"]]
                return lambda: (ways[choice["variant"]](model, own, donor, last) - model.value(own[-1])).cpu().numpy()

            best, spread, changes, tried = common.tune(
                [{"variant": way, "attention": attention} for way in ways for attention in ("math", "sdpa")],
                prepare, gpt2_torch.synchronizer(args.device), gpt2_torch.release, args.seconds)
            measured = np.zeros((model.layers + 1, last + 1), np.float32)
            if best:
                measured[:-1] = changes[:-1].reshape(model.layers, last + 1)
                measured[-1, -1] = changes[-1]
            outcomes[peer] = common.outcome_of(best, spread, measured, tried)
    return outcomes


def main():
    args = common.arguments(__doc__)
    gpt2_torch.set_precision(args.precision)
    return common.run_cases(
        args, "torch cell loop", ["patch"], lambda directory: Gpt2(directory, args.device),
        lambda model, work: run(args, model, work), gpt2_torch.machine(args.device))


if __name__ == "__main__":
    sys.exit(main())
