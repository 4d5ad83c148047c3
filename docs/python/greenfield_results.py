"""Reads what Greenfield's commands write: `results = open_results("greenfield-out/map")`.

Needs numpy alone; the operator of `green` needs SciPy too. Tensors are mapped from the file, so that only what is used is read.

    results.json                       result.json, by docs/result.schema.json
    results["map.gain"]                an Array: values, axes, unit and meaning
    results["map.gain"].at(depth=2)    by the names of axes; what remains keeps its names
    results.row("map.frobenius", 1, 4) one source of a map, also of one that is stored in blocks
    results.operator()                 the Green operator as a SciPy LinearOperator
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

TYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2", "I64": "<i8", "I32": "<i4", "BOOL": "?"}


@dataclass(frozen=True)
class Array:
    """Numbers whose axes have names. It is what numpy takes for an array: np.log(array), array.values[0]."""

    values: np.ndarray
    axes: tuple
    unit: str = ""
    meaning: str = ""

    def at(self, **places):
        """The part at these places of named axes: numbers, which drop an axis, or slices, which keep it."""
        unknown = set(places) - set(self.axes)
        if unknown:
            raise KeyError(f"found no axis {', '.join(sorted(unknown))}, expected of {', '.join(self.axes)}")
        key = tuple(places.get(axis, slice(None)) for axis in self.axes)
        left = tuple(axis for axis, place in zip(self.axes, key) if isinstance(place, slice))
        return Array(self.values[key], left, self.unit, self.meaning)

    def __array__(self, dtype=None, copy=None):
        return np.array(self.values, dtype=dtype) if copy else np.asarray(self.values, dtype=dtype)

    def __repr__(self):
        shape = ", ".join(f"{axis} {size}" for axis, size in zip(self.axes, self.values.shape))
        return f"[{shape}] {self.values.dtype}, unit {self.unit or '?'}: {self.meaning}"


def read_tensors(file):
    """Of any safetensors file the tensors by name, mapped from it, and the metadata. bfloat16 comes as float32."""
    data = np.memmap(file, dtype="u1", mode="r")
    length = int(data[:8].view("<u8")[0])
    header = json.loads(data[8 : 8 + length].tobytes())
    metadata = header.pop("__metadata__", {})
    tensors = {}
    for name, entry in header.items():
        begin, end = (8 + length + offset for offset in entry["data_offsets"])
        stored = np.asarray(data[begin:end]).view(TYPES[entry["dtype"]])
        if entry["dtype"] == "BF16":  # the upper half of a float32
            stored = (stored.astype("<u4") << 16).view("<f4")
        tensors[name] = stored.reshape(entry["shape"])
    return tensors, metadata


class Results:
    """A folder that a command wrote with --out."""

    def __init__(self, folder):
        self.json = json.loads((Path(folder) / "result.json").read_text(encoding="utf-8"))
        file = Path(folder) / "tensors.safetensors"
        self._tensors, self.metadata = read_tensors(file) if file.exists() else ({}, {})
        self._described = json.loads(self.metadata.get("tensors", "{}"))

    def names(self):
        """Names of the tensors."""
        return list(self._tensors)

    def __getitem__(self, name):
        """A tensor. A map that is stored in blocks has none of its name: see row."""
        values = self._tensors[name]
        about = self._described.get(name) or self._described.get(re.sub(r"\.\d+(?=\.|$)", ".#", name), {})
        axes = about.get("axes", [f"axis_{i}" for i in range(values.ndim)])
        return Array(values, tuple(axes), about.get("unit", ""), about.get("meaning", ""))

    def depths(self):
        """The depth of each place along an axis of depths, which may count half depths."""
        step = float(self.metadata.get("depth_step", 1))
        return np.arange(0, self.json["model"]["layers"] + step / 2, step)

    def row(self, name, depth, token):
        """Of one source of a map the numbers at all targets, [depth, token]: NaN where not asked for, 0 where not reached."""
        level = int(np.searchsorted(self.depths(), depth))
        if name in self._tensors:
            whole = self[name]
            return Array(whole.values[level, token], ("depth", "token"), whole.unit, whole.meaning)
        sources, targets = self._tensors["map.sources"], self._tensors["map.targets"]
        found = np.flatnonzero((sources == (level, token)).all(axis=1))
        values = np.full((len(self.depths()), len(self.json["tokens"])), np.nan)
        block = 0
        if found.size:  # stored are the source itself and the targets that it reaches, in the order of map.targets
            s, rows, blocks = int(found[0]), self._tensors["map.rows"], self._tensors["map.blocks"]
            up, on = targets[:, 0] - level, targets[:, 1] - token
            held = ((up == 0) & (on == 0)) | ((up > 0) & (on >= 0))
            if self.metadata.get("depth_step") == "0.5" and level % 2 == 1:
                held &= (up != 1) | (on == 0)  # an MLP carries nothing to other tokens
            block = int(np.searchsorted(blocks, s, side="right")) - 1
            begin, end = rows[s] - rows[blocks[block]], rows[s + 1] - rows[blocks[block]]
            numbers = np.zeros(len(targets))
            numbers[held] = self._tensors[f"{name}.block.{block}"][begin:end]
            values[targets[:, 0], targets[:, 1]] = numbers
        about = self[f"{name}.block.{block}"]
        return Array(values, ("depth", "token"), about.unit, about.meaning)

    def operator(self):
        """The operator of `green` as a SciPy LinearOperator: from the source [D] to all targets [T D], token by token."""
        try:
            from scipy.sparse.linalg import LinearOperator
        except ImportError as missing:
            raise ImportError("the operator needs SciPy, which is not here: pip install scipy") from missing
        if "green" in self._tensors:
            matrix = self._tensors["green"]
            matrix = matrix.reshape(-1, matrix.shape[2])
            forward, back = matrix.dot, matrix.T.dot
            return LinearOperator(matrix.shape, forward, rmatvec=back, matmat=forward, rmatmat=back, dtype=matrix.dtype)
        if "green.u" not in self._tensors:
            raise KeyError(f"found results of {self.json['command']} without an operator, expected those of green of one site")
        u, v, s = (self._tensors[name] for name in ("green.u", "green.v", "green.s"))
        forward, back = (lambda x: u @ (s * (v.T @ x).T).T), (lambda y: v @ (s * (u.T @ y).T).T)
        return LinearOperator((len(u), len(v)), forward, rmatvec=back, matmat=forward, rmatmat=back, dtype=u.dtype)


def open_results(folder):
    """Opens a folder of results."""
    return Results(folder)
