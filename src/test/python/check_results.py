"""Compares what docs/python/greenfield_results.py reads with what the test that calls this has found: check_results.py EXPECTED.json"""

import json
import sys

import numpy as np
from greenfield_results import open_results, read_tensors


def same(found, expected, what):
    if not np.allclose(found, np.array(expected, dtype=float), rtol=1e-6, atol=0, equal_nan=True):
        sys.exit(f"{what}: found {found}, expected {expected}")


def figures(values):
    """A few numbers that depend on all of a tensor and on its order."""
    flat = np.asarray(values, dtype=np.float64).ravel()
    finite = np.where(np.isfinite(flat), flat, 0)
    return [flat.size, finite.sum(), np.abs(finite) @ (1 + np.arange(flat.size) % 7)]


def operator(results):
    product = results.operator()
    if "green" in results.names():
        matrix = results["green"].values.reshape(product.shape)
    else:
        u, s, v = (results[name].values for name in ("green.u", "green.s", "green.v"))
        matrix = u @ np.diag(s) @ v.T
    random = np.random.default_rng(1)
    source, target = random.standard_normal(product.shape[1]), random.standard_normal(product.shape[0])
    scale = np.abs(matrix).max() * 1e-4
    for found, expected in (
        (product.matvec(source), matrix @ source),
        (product.rmatvec(target), matrix.T @ target),
        (product.matmat(np.eye(product.shape[1])), matrix),
        (product.rmatmat(np.eye(product.shape[0])), matrix.T),
    ):
        if found.shape != expected.shape or np.abs(found - expected).max() > scale:
            sys.exit("the operator is not its matrix")


expected = json.load(open(sys.argv[1], encoding="utf-8"))
for case in expected["folders"]:
    results = open_results(case["folder"])
    if results.json["command"] != case["command"] or sorted(results.names()) != sorted(case["tensors"]):
        sys.exit(f"{case['folder']}: found {results.json['command']} with {results.names()}")
    for name, one in case["tensors"].items():
        array = results[name]
        if list(array.values.shape) != one["shape"] or len(array.axes) != len(one["shape"]) or not array.unit or not array.meaning:
            sys.exit(f"{case['folder']}: {name} is {array}, expected {one}")
        same(figures(array), one["figures"], f"{case['folder']}, {name}")
        if array.axes and array.values.size:
            part = array.at(**{array.axes[0]: 0})
            if part.axes != array.axes[1:] or part.values.shape != array.values.shape[1:]:
                sys.exit(f"{name}.at: found {part}")
    for row in case["rows"]:
        found = results.row(row["name"], row["depth"], row["token"])
        if found.axes != ("depth", "token") or found.unit != "residual/residual":
            sys.exit(f"row of {row['name']}: found {found}")
        same(found.values.ravel(), row["values"], f"{case['folder']}, row {row['depth']}, {row['token']} of {row['name']}")
    if case["operator"] and expected["scipy"]:
        operator(results)
for file, tensors in expected["files"].items():
    found, _ = read_tensors(file)
    for name, one in tensors.items():
        if list(found[name].shape) != one["shape"]:
            sys.exit(f"{file}: {name} has shape {found[name].shape}, expected {one['shape']}")
        same(figures(found[name]), one["figures"], f"{file}, {name}")
try:
    open_results(expected["folders"][0]["folder"])["field"].at(dept=1)
    sys.exit("an axis that is not there was taken")
except KeyError as refused:
    print(refused)
print(len(expected["folders"]), "folders,", len(expected["files"]), "files")
