"""What every peer shares: the cases, the model's file, inputs that follow from formulas, timing, and the result file."""

import argparse
import json
import math
import os
import platform
import statistics
import struct
import time
import traceback

import numpy as np

# The observable F of every case: logit(ANSWER) - logit(FOIL) at the last token.
ANSWER, FOIL = 1, 2


def arguments(description):
    return parser(description).parse_args()


def parser(description, files=True):
    """files: whether it reads the cases and writes files."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--cases", required=files, help="benchmarks/cases.json")
    parser.add_argument("--set", default="full", help="which of its sets: full, quick or tiny")
    parser.add_argument("--models", required=True, help="directory with one exported model a case")
    parser.add_argument("--out", required=files, help="directory for one JSON file a measurement")
    parser.add_argument("--only", default="", help="only this model")
    parser.add_argument("--kinds", default="", help="comma-separated kinds of work; all that the peer does if left out")
    parser.add_argument("--device", default="cuda", choices=["cuda", "cpu"])
    parser.add_argument("--precision", default="tf32", choices=["fp32", "tf32"])
    parser.add_argument("--variants", default="", help="comma-separated; the peer's own choice if left out")
    parser.add_argument("--chunks", default="16,64,256,1024", help="columns pushed at once, each is tried")
    parser.add_argument("--seconds", type=float, default=2.0, help="about how long each choice is measured")
    return parser


def prompt(which, tokens, vocabulary):
    """Token ids [T] of prompt 0 or 1; the two differ at every token. The Java suite has the same formula."""
    return [(17 + 7919 * i + 104729 * which) % vocabulary for i in range(tokens)]


def seed_vectors(columns, width):
    """Directions [N, D], float32. The Java suite has the same formula."""
    product = np.outer(np.arange(1, columns + 1), np.arange(1, width + 1))
    return np.sin(0.7548776662466927 * product).astype(np.float32)


def shown_columns(columns):
    """The columns whose results are compared: the first and the last two, so that the ends of chunks are among them."""
    return sorted({0, 1, columns - 2, columns - 1} & set(range(columns)))


def load_weights(directory):
    """config.json and the float32 tensors of model.safetensors, by name."""
    with open(os.path.join(directory, "config.json")) as file:
        config = json.load(file)
    path = os.path.join(directory, "model.safetensors")
    try:
        from safetensors.numpy import load_file
        return config, load_file(path)
    except ImportError:
        return config, read_safetensors(path)


def read_safetensors(path):
    """The format is small enough to do without its package: a length, a JSON header, then the numbers."""
    with open(path, "rb") as file:
        length = struct.unpack("<Q", file.read(8))[0]
        header = json.loads(file.read(length))
    header.pop("__metadata__", None)
    data = np.memmap(path, np.uint8, "c", offset=8 + length)
    tensors = {}
    for name, entry in header.items():
        if entry["dtype"] != "F32":
            raise ValueError(f"{name}: found {entry['dtype']}, expected F32; export the model again")
        begin, end = entry["data_offsets"]
        tensors[name] = data[begin:end].view(np.float32).reshape(entry["shape"])
    return tensors


def measure(work, synchronize, seconds, warmup=2):
    """Wall-clock seconds of work(), device synchronized before and after, and what the last call returned."""
    for _ in range(warmup):
        result = work()
    synchronize()
    times = []
    begin = time.perf_counter()
    while len(times) < 3 or (len(times) < 200 and time.perf_counter() - begin < seconds):
        synchronize()
        start = time.perf_counter()
        result = work()
        synchronize()
        times.append(time.perf_counter() - start)
    times.sort()
    last = len(times) - 1
    return {
        "median": statistics.median(times),
        "p05": times[math.floor(0.05 * last)],
        "p95": times[math.ceil(0.95 * last)],
        "repeats": len(times),
    }, result


def tune(choices, prepare, synchronize, release, seconds):
    """
    Tries every choice (a dict) and measures the fastest again. prepare(choice) returns the function to time.

    A choice that fails is kept with its error. Returns the best choice, its seconds, its result and all that was tried;
    the first three are None if everything failed.
    """
    tried, best, fastest = [], None, math.inf
    for choice in choices:
        try:
            spread, _ = measure(prepare(choice), synchronize, seconds / 4, warmup=1)
            tried.append({**choice, "seconds": spread["median"]})
            if spread["median"] < fastest:
                best, fastest = choice, spread["median"]
        except Exception as error:  # whatever a library throws: it is the finding
            tried.append({**choice, "error": short(error)})
        release()
    if best is None:
        return None, None, None, tried
    spread, result = measure(prepare(best), synchronize, seconds)
    return best, spread, result, tried


def short(error):
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text[:300]}"


def record(args, peer, model, work, machine, outcome):
    """Writes one measurement. outcome: best, seconds, result (numbers) and tried, or error."""
    name = "-".join([peer, model["model"], work["kind"], str(work["tokens"]), str(work.get("columns", 0))])
    os.makedirs(args.out, exist_ok=True)
    entry = {
        "peer": peer, "model": model["model"], **work, "device": args.device, "precision": args.precision,
        "machine": {"python": platform.python_version(), "system": platform.platform(), **machine}, **outcome,
    }
    path = os.path.join(args.out, name.replace(" ", "_") + ".json")
    with open(path, "w") as file:
        json.dump(entry, file, indent=1)
    if "seconds" in outcome:
        print(f"{name}: {1e3 * outcome['seconds']['median']:.3f} ms, {outcome['best']}", flush=True)
    else:
        print(f"{name}: FAILED {outcome['error']}", flush=True)


def outcome_of(best, spread, result, tried):
    """What record() writes of tune()'s answer; result is a flat array."""
    if best is None:
        return {"error": "every choice failed: " + tried[0]["error"] if tried else "nothing to try", "tried": tried}
    return {"best": best, "seconds": spread, "tried": tried, "result": [float(x) for x in np.asarray(result).ravel()]}


def run_cases(args, peer, kinds, open_model, run, machine):
    """
    Calls run(opened model, work) for the set's cases of these kinds and records every outcome, failures included.

    Returns 1 if nothing at all could be measured, else 0.
    """
    with open(args.cases) as file:
        models = [model for model in json.load(file)[args.set] if not model["spec"].startswith("llama:")]  # peers know GPT-2's form alone
    asked = [kind for kind in kinds if kind in (args.kinds.split(",") if args.kinds else kinds)]
    measured = 0
    for model in models:
        wanted = [work for work in model["work"] if work["kind"] in asked]
        if not wanted or args.only not in ("", model["model"]):
            continue
        try:
            opened = open_model(os.path.join(args.models, model["model"]))
        except Exception as error:
            traceback.print_exc()
            for work in wanted:
                record(args, peer, model, work, machine, {"error": short(error)})
            continue
        for work in wanted:
            try:
                outcomes = run(opened, work)
            except Exception as error:
                traceback.print_exc()
                outcomes = {peer: {"error": short(error)}}
            for name, outcome in outcomes.items():
                record(args, name, model, work, machine, outcome)
                measured += "seconds" in outcome
        del opened
    return 0 if measured else 1
