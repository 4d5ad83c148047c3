"""
The response map in PyTorch: from each depth the derivative of the suffix along many directions at once, norms of all later residuals kept.

Two derivatives are tried: "jvp" is vmap(jvp), "vjp of vjp" the linear map that the transposed derivative is, transposed again, which needs
the forward pass only once a depth. And two sets of rows: "all rows", or "later rows", from a chunk's first source token on, with the keys and
values of the tokens before it kept. The form is chosen at one chunk size, then the chunk size at this form, on the directions of one depth.

With --alternate it reads lines: a case as JSON to prepare and tune, "run" to do the whole map once, "run plain" to do it by the best form over
all rows, "result FILE" to write the squares of the last run. Each is answered by one line of JSON. So another program can time its own work in
between.
"""

import json
import os
import sys
import time

import torch

import common
import gpt2_torch
from gpt2_torch import Gpt2, jvp, vjp, vmap

PEER = "torch map"
LARGEST = 2e14  # flops: a map of more is left to the one who pays for the hours
TUNED_COLUMNS = 512  # at least about so many directions, and two chunks, is a choice tried on
FORMS = [{"derivative": d, "rows": r} for d in ("jvp", "vjp of vjp") for r in ("all rows", "later rows")]


class Map:
    """
    The map of one prompt. directions [L, T, k, D]: what is pushed from each site below the last depth; None for all unit vectors.

    squares [L, T, L, T]: of source depth and token, target depth - 1 and token; zero where no target is above; a mean over random directions.
    """

    def __init__(self, model, tokens, directions):
        self.model, self.tokens, self.directions = model, tokens, directions
        self.probes = 0 if directions is None else directions.shape[2]
        self.base = model.residuals(0, tokens)
        self.before = [tuple(model.queries_keys_values(l, self.base[l]))[1:] for l in range(model.layers)]
        self.units = torch.eye(model.width, device=model.device)

    def suffix(self, depth, first):
        """R[depth] [T - first, D] from a token on to R[depth + 1..L], the tokens before it as they are."""
        mask = self.model.mask(self.tokens)[first:]
        before = [(k[:, :first], v[:, :first]) for k, v in self.before]

        def residuals(x):
            found = []
            for l in range(depth, self.model.layers):
                x = self.model.block(l, x, mask, before[l] if first else None)
                found.append(x)
            return tuple(found)

        return residuals

    def columns(self, tokens):
        """(token, number) of every direction of these tokens."""
        return [(t, i) for t in tokens for i in range(self.probes or self.model.width)]

    def pushed(self, depth, first, part):
        """Directions [n, T - first, D], each at its token."""
        u = torch.zeros(len(part), self.tokens - first, self.model.width, device=self.model.device)
        t, i = torch.tensor(part, device=self.model.device).T
        u[torch.arange(len(part)), t - first] = self.units[i] if self.directions is None else self.directions[depth, t, i]
        return u

    def norms(self, depth, part, form):
        """Squared norms [n, L - depth, T - first] of the responses to some columns, and first."""
        first = part[0][0] if form["rows"] == "later rows" else 0
        function, x, u = self.suffix(depth, first), self.base[depth][first:], self.pushed(depth, first, part)
        if form["derivative"] == "jvp":
            with torch.no_grad():
                return vmap(lambda v: squares(jvp(function, (x,), (v,))[1]))(u), first
        found, pull = vjp(function, x)
        _, push = vjp(lambda cotangents: pull(cotangents)[0], tuple(torch.zeros_like(y) for y in found))
        return vmap(lambda v: squares(push(v)[0]))(u), first

    def compute(self, form, depths, tokens):
        total = torch.zeros(self.model.layers, self.tokens, self.model.layers, self.tokens, device=self.model.device)
        columns = self.columns(tokens)
        for depth in depths:
            for begin in range(0, len(columns), form["chunk"]):
                part = columns[begin:begin + form["chunk"]]
                norms, first = self.norms(depth, part, form)
                at = torch.tensor([t for t, _ in part], device=self.model.device)
                total[depth, :, depth:, first:].index_add_(0, at, norms.detach())
        return total / self.probes if self.probes else total

    def whole(self, form):
        return self.compute(form, range(self.model.layers), range(self.tokens))

    def trial(self, form, columns):
        """The part of the work that choices are tried on: the last depth but one, below two blocks, and some tokens."""
        count = max(1, min(self.tokens, columns // (self.probes or self.model.width)))
        tokens = [(2 * i + 1) * self.tokens // (2 * count) for i in range(count)]
        return self.compute(form, [max(0, self.model.layers - 2)], tokens)


def squares(tangents):
    return torch.stack([(t**2).sum(-1) for t in tangents])


def choose(work, chunks, synchronize, forms=FORMS, repeats=3):
    """The fastest form at one chunk size, then the fastest chunk size at this form, and all that was tried."""
    tried, columns = [], max(TUNED_COLUMNS, 2 * max(chunks))

    def fastest(choices):
        best = None
        for choice in choices:
            try:
                work.trial(choice, columns)
                times = []
                for _ in range(repeats):
                    synchronize()
                    start = time.perf_counter()
                    work.trial(choice, columns)
                    synchronize()
                    times.append(time.perf_counter() - start)
                tried.append({**choice, "seconds": min(times)})
                best = min((best, tried[-1]), key=lambda t: t["seconds"]) if best else tried[-1]
            except Exception as error:  # whatever a library throws: it is the finding
                tried.append({**choice, "error": common.short(error)})
            gpt2_torch.release()
        return best

    middle = chunks[len(chunks) // 2]
    form = fastest([{**form, "chunk": middle} for form in forms])
    if form is None:
        raise RuntimeError("every form failed: " + tried[0]["error"])
    best = fastest([{**form, "chunk": chunk} for chunk in chunks if chunk != middle])
    best = min((form, best), key=lambda t: t["seconds"]) if best else form
    return {key: best[key] for key in ("derivative", "rows", "chunk")}, tried


def product_rate(model, rows, seconds=1.0):
    """Flops a second of plain products [rows, D] times [D, 4 D], all threads: what the library below reaches on such a shape."""
    a, b = torch.randn(rows, model.width), torch.randn(model.width, 4 * model.width)
    times, begin = [], time.perf_counter()
    while len(times) < 3 or time.perf_counter() - begin < seconds:
        start = time.perf_counter()
        a @ b
        times.append(time.perf_counter() - start)
    return 2 * rows * b.numel() / sorted(times)[len(times) // 2]


def signs(model, tokens, probes):
    generator = torch.Generator().manual_seed(0)
    drawn = torch.randint(0, 2, (model.layers, tokens, probes, model.width), generator=generator) * 2.0 - 1
    return drawn.to(model.device)


def run(args, model, work):
    tokens, probes = work["tokens"], work["columns"]
    flops = 12 * model.width**2 * (probes or model.width) * tokens**2 * model.layers * (model.layers + 1)
    if flops > LARGEST * (100 if args.device == "cuda" else 1):
        return {PEER: {"error": f"left out: {flops:.1e} flops at full length", "tried": []}}
    synchronize = gpt2_torch.synchronizer(args.device)
    task = Map(model, tokens, signs(model, tokens, probes) if probes else None)
    best, tried = choose(task, sorted(int(c) for c in args.chunks.split(",")), synchronize)
    spread, found = common.measure(lambda: task.whole(best), synchronize, args.seconds, warmup=1)
    # Estimates from other directions are not compared.
    shown = [] if probes else found.sum((1, 2, 3)).cpu()
    return {PEER: common.outcome_of(best, spread, shown, tried)}


def alternate(args):
    """Serves one program that has work of its own; see above."""
    def say(**answer):
        print(json.dumps(answer), flush=True)

    model, name, task, best, plain, found = None, None, None, None, None, None
    for line in sys.stdin:
        if line.startswith("run"):
            start = time.perf_counter()
            found = task.whole(plain if "plain" in line else best)
            say(seconds=time.perf_counter() - start)
        elif line.startswith("result "):
            with open(line[len("result "):].strip(), "w") as file:
                json.dump(found.flatten().tolist(), file)
            say(written=found.numel())
        else:
            case = json.loads(line)
            if name != case["model"]:
                model, name = Gpt2(os.path.join(args.models, case["model"]), args.device), case["model"]
            directions = None
            if case["directions"]:
                directions = torch.from_numpy(common.read_safetensors(case["directions"])["directions"])
            task = Map(model, case["tokens"], directions)
            chunks = sorted(int(c) for c in args.chunks.split(","))
            best, tried = choose(task, chunks, lambda: None)
            plain = best
            if best["rows"] != "all rows":
                plain, more = choose(task, chunks, lambda: None, [form for form in FORMS if form["rows"] == "all rows"])
                tried += more
            say(best=best, plain=plain, tried=tried, product_rate=product_rate(model, best["chunk"] * case["tokens"]),
                machine=gpt2_torch.machine(args.device))


def main():
    arguments = common.parser(__doc__, files="--alternate" not in sys.argv)
    arguments.add_argument("--alternate", action="store_true", help="serve another program, line by line")
    args = arguments.parse_args()
    gpt2_torch.set_precision(args.precision)
    torch.set_num_threads(os.cpu_count())
    if args.alternate:
        return alternate(args)
    return common.run_cases(
        args, PEER, ["map"], lambda directory: Gpt2(directory, args.device), lambda model, work: run(args, model, work),
        gpt2_torch.machine(args.device))


if __name__ == "__main__":
    sys.exit(main())
