"""Tangents by torch.func: vmap(jvp) of the blocks, every attention path and chunk size that works tried."""

import sys

import torch

import common
import gpt2_torch
from gpt2_torch import ATTENTION, Gpt2, jvp, vmap

PEER = "torch vmap-jvp"
DEPTH, TOKEN = 0, 0


def pusher(model, variant, x):
    """The function that carries tangents [n, T, D] at DEPTH to R[L]; x [T, D] is R[DEPTH] itself."""
    way, _, attention = variant.partition("+")
    model.attention = ATTENTION[attention]

    def suffix(r):
        return model.suffix(r, DEPTH)

    if way == "linearize":  # traces the blocks once and folds what does not depend on the tangent
        carry = torch.func.linearize(suffix, x)[1]
        return lambda dx: vmap(carry)(dx)

    def push(dx):
        return vmap(lambda u: jvp(suffix, (x,), (u,))[1])(dx)

    return torch.compile(push, dynamic=False) if way == "compile" else push


def run(args, model, work):
    tokens, columns = work["tokens"], work["columns"]
    x = model.residuals(0, tokens)[DEPTH]
    directions = torch.from_numpy(common.seed_vectors(columns, model.width)).to(model.device)
    sources = torch.zeros(columns, tokens, model.width, device=model.device)
    sources[:, TOKEN] = directions
    variants = (args.variants or "jvp+math,jvp+sdpa,jvp+sdpa-math,linearize+math").split(",")
    chunks = sorted({min(columns, int(c)) for c in args.chunks.split(",")})
    choices = [{"variant": v, "chunk": c} for v in variants for c in chunks]

    def prepare(choice):
        push = pusher(model, choice["variant"], x)
        return lambda: [push(part) for part in sources.split(choice["chunk"])]

    with torch.no_grad():
        best, spread, parts, tried = common.tune(
            choices, prepare, gpt2_torch.synchronizer(args.device), gpt2_torch.release, args.seconds)
    shown = torch.cat(parts)[common.shown_columns(columns), -1].cpu() if best else None
    return {PEER: common.outcome_of(best, spread, shown, tried)}


def main():
    args = common.arguments(__doc__)
    gpt2_torch.set_precision(args.precision)
    return common.run_cases(
        args, PEER, ["tangent"], lambda directory: Gpt2(directory, args.device),
        lambda model, work: run(args, model, work), gpt2_torch.machine(args.device))


if __name__ == "__main__":
    sys.exit(main())
