"""
The response map in JAX: from each depth the tangents of the blocks above, jit(vmap(linearized)), norms of all later residuals kept.

Rows before a chunk's first source token are left out, eight at a time: each number of rows and depth is compiled once, which is not timed.
The map is done whole for each chunk size, first to compile, then as often as --repeats says. Prints a line of JSON for each chunk size.
"""

import argparse
import json
import time

import jax
import jax.numpy as jnp
import numpy as np

import common
from jax_peer import Gpt2

STEP = 8  # tokens: one compilation for each so many


class Map:
    """The map of one prompt. probes: random directions a site; 0 for all unit vectors."""

    def __init__(self, model, tokens, probes):
        self.model, self.tokens, self.probes = model, tokens, probes
        self.base = [model.embed(0, tokens)]
        for l in range(model.layers):
            self.base.append(model.block(self.base[-1], {kind: w[l] for kind, w in model.blocks.items()}))
        if probes:
            drawn = np.random.default_rng(0).integers(0, 2, (model.layers, tokens, probes, model.width))
            self.directions = drawn.astype(np.float32) * 2 - 1
        self.push = jax.jit(self.pushed, static_argnums=(4,))

    def keys_values(self, x, w):
        h = self.model.norm(x, w["ln_1.weight"], w["ln_1.bias"])
        qkv = h @ w["attn.c_attn.weight"] + w["attn.c_attn.bias"]
        return qkv[:, x.shape[1]:]

    def later(self, x, w, before):
        """A block for rows x from some token on, with the keys and values [first, 2 D] of the tokens before."""
        m, (rows, width) = self.model, x.shape
        h = m.norm(x, w["ln_1.weight"], w["ln_1.bias"])
        qkv = h @ w["attn.c_attn.weight"] + w["attn.c_attn.bias"]
        kv = jnp.concatenate([before, qkv[:, width:]])
        q = qkv[:, :width].reshape(rows, m.heads, -1)
        k, v = (part.reshape(len(kv), m.heads, -1) for part in jnp.split(kv, 2, -1))
        scores = jnp.einsum("qhd,khd->hqk", q, k) / np.sqrt(width // m.heads)
        seen = jnp.arange(len(kv))[None] <= jnp.arange(rows)[:, None] + len(before)
        p = jax.nn.softmax(jnp.where(seen, scores, -jnp.inf), -1)
        x = x + jnp.einsum("hqk,khd->qhd", p, v).reshape(rows, width) @ w["attn.c_proj.weight"] + w["attn.c_proj.bias"]
        u = m.norm(x, w["ln_2.weight"], w["ln_2.bias"]) @ w["mlp.c_fc.weight"] + w["mlp.c_fc.bias"]
        return x + jax.nn.gelu(u, approximate=True) @ w["mlp.c_proj.weight"] + w["mlp.c_proj.bias"]

    def pushed(self, blocks, x, before, sources, rows_before):
        """Squared norms [n, depths, rows] of the responses to sources (token, vector), which stand rows_before further down."""
        tokens, vectors = sources

        def climb(r):
            step = lambda r, layer: (lambda y: (y, y))(self.later(r, *layer))
            return jax.lax.scan(step, r, (blocks, before))[1]

        _, carry = jax.linearize(climb, x)
        one = lambda t, u: (carry(jnp.zeros_like(x).at[t - rows_before].set(u)) ** 2).sum(-1)
        return jax.vmap(one)(tokens, vectors)

    def whole(self, chunk):
        model, found = self.model, np.zeros((self.model.layers, self.tokens, self.model.layers, self.tokens))
        count = self.probes or model.width
        for depth in range(model.layers):
            blocks = {kind: w[depth:] for kind, w in model.blocks.items()}
            kv = jnp.stack([self.keys_values(self.base[l], {kind: w[l] for kind, w in model.blocks.items()})
                            for l in range(depth, model.layers)])
            for begin in range(0, self.tokens * count, chunk):
                t, i = np.divmod(np.arange(begin, min(begin + chunk, self.tokens * count)), count)
                size = len(t)
                t, i = np.resize(t, chunk), np.resize(i, chunk)  # the last chunk is filled up: one shape
                first = int(t[0]) // STEP * STEP
                vectors = self.directions[depth, t, i] if self.probes else np.eye(model.width, dtype=np.float32)[i]
                squares = self.push(blocks, self.base[depth][first:], kv[:, :first], (t, vectors), first)
                np.add.at(found[depth, :, depth:, first:], t[:size], np.asarray(squares)[:size])
        return found / self.probes if self.probes else found


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True, help="a GPT-2 directory")
    parser.add_argument("--tokens", type=int, required=True)
    parser.add_argument("--probes", type=int, default=0, help="0 for all directions")
    parser.add_argument("--chunks", default="64,128,256")
    parser.add_argument("--repeats", type=int, default=1)
    args = parser.parse_args()
    jax.config.update("jax_default_matmul_precision", "float32")
    work = Map(Gpt2(args.model), args.tokens, args.probes)
    for chunk in map(int, args.chunks.split(",")):
        start = time.perf_counter()
        work.whole(chunk)
        compiled = time.perf_counter() - start
        times = []
        for _ in range(args.repeats):
            start = time.perf_counter()
            found = work.whole(chunk)
            times.append(time.perf_counter() - start)
        print(json.dumps({"jax": jax.__version__, "chunk": chunk, "seconds": times, "with_compilation": compiled,
                          "sum": float(np.sqrt(found).sum())}), flush=True)


if __name__ == "__main__":
    main()
