"""Adjoints by PyTorch: the sensitivity of F at every depth in one backward pass, and many Green rows at once."""

import sys

import numpy as np
import torch

import common
import gpt2_torch
from gpt2_torch import ATTENTION, Gpt2, vjp, vmap

PEER = "torch autograd"


def green_rows(model, way, x):
    """The function that carries cotangents [n, T, D] at R[L] down to R[0]; x [T, D] is R[0]. The forward pass is done once."""
    if way == "vjp":
        _, back = vjp(lambda r: model.suffix(r, 0), x)
        return lambda dy: vmap(back)(dy)[0]
    leaf = x.clone().requires_grad_()
    y = model.suffix(leaf, 0)
    return lambda dy: torch.autograd.grad(y, leaf, dy, retain_graph=True, is_grads_batched=True)[0]


def run_adjoint(args, model, work):
    tokens, columns = work["tokens"], work["columns"]
    x = model.embed(0, tokens)
    cotangents = torch.zeros(columns, tokens, model.width, device=model.device)
    cotangents[:, -1] = torch.from_numpy(common.seed_vectors(columns, model.width)).to(model.device)
    variants = (args.variants or "vjp+math,batched+math,batched+sdpa").split(",")
    chunks = sorted({min(columns, int(c)) for c in args.chunks.split(",")})

    def prepare(choice):
        way, _, attention = choice["variant"].partition("+")
        model.attention = ATTENTION[attention]
        rows = green_rows(model, way, x)
        return lambda: [rows(part) for part in cotangents.split(choice["chunk"])]

    best, spread, parts, tried = common.tune(
        [{"variant": v, "chunk": c} for v in variants for c in chunks],
        prepare, gpt2_torch.synchronizer(args.device), gpt2_torch.release, args.seconds)
    shown = torch.cat(parts)[common.shown_columns(columns), 0].cpu() if best else None
    return {PEER: common.outcome_of(best, spread, shown, tried)}


def gradients(model, x):
    """S [L+1, T, D] from R[0]: forward pass, then one backward pass that stops at every depth."""
    mask = model.mask(x.shape[-2])
    found = [x.detach().requires_grad_()]
    for l in range(model.layers):
        found.append(model.block(l, found[-1], mask))
    return torch.stack(torch.autograd.grad(model.value(found[-1]), found))


def graphed(model, x):
    """The same as one CUDA graph: no launch is paid for by Python."""
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(3):
            gradients(model, x)
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        field = gradients(model, x)

    def replay():
        graph.replay()
        return field.cpu()

    return replay


def run_sensitivity(args, model, work):
    x = model.embed(0, work["tokens"])
    eager = "eager+math,eager+sdpa"
    variants = (args.variants or (eager + ",graph+math,graph+sdpa" if args.device == "cuda" else eager)).split(",")

    def prepare(choice):
        way, _, attention = choice["variant"].partition("+")
        model.attention = ATTENTION[attention]
        return graphed(model, x) if way == "graph" else lambda: gradients(model, x).cpu()

    best, spread, field, tried = common.tune(
        [{"variant": v} for v in variants],
        prepare, gpt2_torch.synchronizer(args.device), gpt2_torch.release, args.seconds)
    shown = None
    if best:
        shown = np.concatenate([field.norm(dim=-1).flatten().numpy(), field[0, -1].numpy()])
    return {PEER: common.outcome_of(best, spread, shown, tried)}


def main():
    args = common.arguments(__doc__)
    gpt2_torch.set_precision(args.precision)
    runs = {"adjoint": run_adjoint, "sensitivity": run_sensitivity}
    return common.run_cases(
        args, PEER, list(runs), lambda directory: Gpt2(directory, args.device),
        lambda model, work: runs[work["kind"]](args, model, work), gpt2_torch.machine(args.device))


if __name__ == "__main__":
    sys.exit(main())
