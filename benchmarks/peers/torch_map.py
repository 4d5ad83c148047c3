"""The response map that a PyTorch user would write: from each depth, vmap(jvp) of the suffix, norms of all later residuals kept."""

import argparse
import json
import os
import sys

import torch

import common
import gpt2_torch
from gpt2_torch import Gpt2, jvp, vmap


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


def response_map(model, tokens, probes, chunk):
    """Squared norms [L, T, L, T]: source depth and token, target depth - 1 and token; zero where no target is above."""
    generator = torch.Generator().manual_seed(0)
    k = probes or model.width
    squares = torch.zeros(model.layers, tokens, model.layers, tokens, device=model.device)
    mask = model.mask(tokens)
    base = model.residuals(0, tokens)
    for depth in range(model.layers):
        function = suffix(model, depth, mask)
        dx = sources(model, tokens, probes, generator)
        parts = [vmap(lambda u: (jvp(function, (base[depth],), (u,))[1] ** 2).sum(-1))(part) for part in dx.split(chunk)]
        found = torch.cat(parts).reshape(tokens, k, model.layers - depth, tokens).sum(1)
        squares[depth, :, depth:] = found / k if probes else found
    return squares


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", help="directory of an exported model")
    parser.add_argument("--tokens", type=int, default=32)
    parser.add_argument("--probes", type=int, default=4, help="0: all directions")
    parser.add_argument("--chunks", default="8,16,32", help="directions pushed at once, each is tried")
    parser.add_argument("--device", default="cpu", choices=["cuda", "cpu"])
    parser.add_argument("--precision", default="fp32", choices=["fp32", "tf32"])
    parser.add_argument("--seconds", type=float, default=1.0)
    args = parser.parse_args()
    gpt2_torch.set_precision(args.precision)
    torch.set_num_threads(os.cpu_count())
    model = Gpt2(args.model, args.device)
    choices = [{"chunk": int(c)} for c in args.chunks.split(",")]
    synchronize = gpt2_torch.synchronizer(args.device)
    best, fastest, squares = None, None, None
    with torch.no_grad():
        for choice in choices:
            spread, found = common.measure(
                lambda: response_map(model, args.tokens, args.probes, choice["chunk"]), synchronize, args.seconds, warmup=0)
            print(f"chunk {choice['chunk']}: {spread['median']:.2f} s", file=sys.stderr, flush=True)
            if fastest is None or spread["median"] < fastest["median"]:
                best, fastest, squares = choice, spread, found
    print(json.dumps({"peer": "torch vmap-jvp map", **best, "seconds": fastest, "total": float(squares.sum()),
                      "machine": gpt2_torch.machine(args.device)}))


if __name__ == "__main__":
    main()
