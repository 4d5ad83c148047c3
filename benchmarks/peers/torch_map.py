"""The response map that a PyTorch user would write: from each depth, vmap(jvp) of the suffix, norms of all later residuals kept."""

import os
import sys

import torch

import common
import gpt2_torch
from gpt2_torch import Gpt2, jvp, vmap

PEER = "torch map"
LARGEST = 2e14  # flops: a map of more is left to the one who pays for the hours


def suffix(model, depth, mask):
    """R[depth] [T, D] to R[depth + 1..L], stacked [L - depth, T, D]."""

    def residuals(x):
        found = []
        for l in range(depth, model.layers):
            x = model.block(l, x, mask)
            found.append(x)
        return torch.stack(found)

    return residuals


def sources(model, tokens, probes, generator):
    """Directions [T * k, T, D], each at one token: random signs, or all unit vectors when there are no probes."""
    k = probes or model.width
    directions = torch.zeros(tokens, k, tokens, model.width)
    for t in range(tokens):
        directions[t, :, t] = (
            torch.randint(0, 2, (k, model.width), generator=generator) * 2.0 - 1 if probes else torch.eye(model.width))
    return directions.reshape(tokens * k, tokens, model.width).to(model.device)


def response_map(model, base, tokens, probes, chunk):
    """Squared norms [L, T, L, T]: source depth and token, target depth - 1 and token; zero where no target is above."""
    generator = torch.Generator().manual_seed(0)
    k = probes or model.width
    squares = torch.zeros(model.layers, tokens, model.layers, tokens, device=model.device)
    mask = model.mask(tokens)
    for depth in range(model.layers):
        function = suffix(model, depth, mask)
        dx = sources(model, tokens, probes, generator)
        parts = [vmap(lambda u: (jvp(function, (base[depth],), (u,))[1] ** 2).sum(-1))(part) for part in dx.split(chunk)]
        found = torch.cat(parts).reshape(tokens, k, model.layers - depth, tokens).sum(1)
        squares[depth, :, depth:] = found / k if probes else found
    return squares


def run(args, model, work):
    tokens, probes = work["tokens"], work["columns"]
    flops = 12 * model.width**2 * (probes or model.width) * tokens**2 * model.layers * (model.layers + 1)
    if flops > LARGEST * (100 if args.device == "cuda" else 1):
        return {PEER: {"error": f"left out: {flops:.1e} flops at full length", "tried": []}}
    base = model.residuals(0, tokens)
    choices = [{"chunk": int(c)} for c in args.chunks.split(",")]
    with torch.no_grad():
        best, spread, squares, tried = common.tune(
            choices, lambda choice: lambda: response_map(model, base, tokens, probes, choice["chunk"]),
            gpt2_torch.synchronizer(args.device), gpt2_torch.release, args.seconds)
    # Estimates from other directions are not compared.
    shown = squares.sum((1, 2, 3)).cpu() if best and not probes else []
    return {PEER: common.outcome_of(best, spread, shown, tried)}


def main():
    args = common.arguments(__doc__)
    gpt2_torch.set_precision(args.precision)
    torch.set_num_threads(os.cpu_count())
    return common.run_cases(
        args, PEER, ["map"], lambda directory: Gpt2(directory, args.device), lambda model, work: run(args, model, work),
        gpt2_torch.machine(args.device))


if __name__ == "__main__":
    sys.exit(main())
