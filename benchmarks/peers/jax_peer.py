"""The same work by JAX: tangents as jit(vmap(linearized blocks)), adjoints as jit(vmap(vjp)), sensitivities as jit(grad)."""

import os
import sys
import time

# Memory as it is needed, given back when freed: chunk sizes that run out of it must not spoil the next.
os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")

import jax
import jax.numpy as jnp
import numpy as np

import common

PEER = "jax"


class Gpt2:
    """Weights as one array a kind, stacked over layers, so that the blocks are a lax.scan and compile once."""

    def __init__(self, directory):
        config, tensors = common.load_weights(directory)
        self.layers, self.heads, self.width = config["n_layer"], config["n_head"], config["n_embd"]
        self.vocabulary, self.epsilon = config["vocab_size"], config["layer_norm_epsilon"]
        kinds = [name[len("h.0."):] for name in tensors if name.startswith("h.0.")]
        self.blocks = {
            kind: jnp.asarray(np.stack([tensors[f"h.{l}.{kind}"] for l in range(self.layers)])) for kind in kinds}
        head = tensors.get("lm_head.weight", tensors["wte.weight"])
        self.final = {
            "weight": jnp.asarray(tensors["ln_f.weight"]), "bias": jnp.asarray(tensors["ln_f.bias"]),
            "readout": jnp.asarray(head[common.ANSWER] - head[common.FOIL])}
        self.wte, self.wpe = tensors["wte.weight"], tensors["wpe.weight"]

    def embed(self, which, tokens):
        return jnp.asarray(self.wte[common.prompt(which, tokens, self.vocabulary)] + self.wpe[:tokens])

    def norm(self, x, gain, bias):
        centred = x - x.mean(-1, keepdims=True)
        return centred * jax.lax.rsqrt((centred**2).mean(-1, keepdims=True) + self.epsilon) * gain + bias

    def block(self, x, w):
        """x [T, D], w the arrays of one layer."""
        tokens, width = x.shape
        h = self.norm(x, w["ln_1.weight"], w["ln_1.bias"])
        qkv = h @ w["attn.c_attn.weight"] + w["attn.c_attn.bias"]
        q, k, v = (part.reshape(tokens, self.heads, -1) for part in jnp.split(qkv, 3, -1))
        scores = jnp.einsum("qhd,khd->hqk", q, k) / np.sqrt(width // self.heads)
        seen = jnp.tril(jnp.ones((tokens, tokens), bool))
        p = jax.nn.softmax(jnp.where(seen, scores, -jnp.inf), -1)
        mixed = jnp.einsum("hqk,khd->qhd", p, v).reshape(tokens, width)
        x = x + mixed @ w["attn.c_proj.weight"] + w["attn.c_proj.bias"]
        u = self.norm(x, w["ln_2.weight"], w["ln_2.bias"]) @ w["mlp.c_fc.weight"] + w["mlp.c_fc.bias"]
        return x + jax.nn.gelu(u, approximate=True) @ w["mlp.c_proj.weight"] + w["mlp.c_proj.bias"]

    def climb(self, blocks, x, unroll):
        """R[0] to R[L]."""
        return jax.lax.scan(lambda r, w: (self.block(r, w), None), x, blocks, unroll=unroll)[0]

    def value(self, final, x):
        return self.norm(x[-1], final["weight"], final["bias"]) @ final["readout"]


def waiting(work):
    """JAX returns before the device is done."""
    return lambda: jax.block_until_ready(work())


def pushed(model, unroll):
    """[n, D] sources at the first token to their responses [n, T, D]. Weights are arguments: as constants they would be copied."""

    def push(blocks, x, directions):
        _, carry = jax.linearize(lambda r: model.climb(blocks, r, unroll), x)
        return jax.vmap(lambda u: carry(jnp.zeros_like(x).at[0].set(u)))(directions)

    return jax.jit(push)


def pulled(model, unroll):
    """[n, D] cotangents at the last token to their pull-backs [n, T, D] at depth 0."""

    def pull(blocks, x, directions):
        _, back = jax.vjp(lambda r: model.climb(blocks, r, unroll), x)
        return jax.vmap(lambda u: back(jnp.zeros_like(x).at[-1].set(u))[0])(directions)

    return jax.jit(pull)


def run_columns(args, model, work):
    tokens, columns = work["tokens"], work["columns"]
    make, place = (pushed, -1) if work["kind"] == "tangent" else (pulled, 0)
    x = model.embed(0, tokens)
    directions = common.seed_vectors(columns, model.width)
    chunks = sorted({min(columns, int(c)) for c in args.chunks.split(",")})

    def prepare(choice):
        step = make(model, model.layers if choice["variant"] == "unrolled" else 1)
        parts = [jnp.asarray(directions[i:i + choice["chunk"]]) for i in range(0, columns, choice["chunk"])]
        return waiting(lambda: [step(model.blocks, x, part) for part in parts])

    choices = [{"variant": v, "chunk": c} for v in (args.variants or "scan").split(",") for c in chunks]
    if not args.variants and model.layers <= 12:  # compiling unrolled blocks takes long: one chunk size shows what it gains
        choices.append({"variant": "unrolled", "chunk": max([c for c in chunks if c <= 256], default=chunks[0])})
    best, spread, parts, tried = common.tune(
        choices,
        prepare, lambda: None, jax.clear_caches, args.seconds)
    shown = None
    if best:
        shown = np.concatenate([np.asarray(part) for part in parts])[common.shown_columns(columns), place]
    return {PEER: common.outcome_of(best, spread, shown, tried)}


def run_sensitivity(args, model, work):
    x = model.embed(0, work["tokens"])
    zeros = jnp.zeros((model.layers + 1, *x.shape), x.dtype)

    def prepare(choice):
        unroll = model.layers if choice["variant"] == "unrolled" else 1

        def value(sources, blocks, final, r):
            """F with a source added at every depth: its gradient at zero is S."""
            def step(r, layer):
                w, source = layer
                return model.block(r + source, w), None
            r = jax.lax.scan(step, r, (blocks, sources[:-1]), unroll=unroll)[0]
            return model.value(final, r + sources[-1])

        gradient = jax.jit(jax.grad(value))
        return lambda: np.asarray(gradient(zeros, model.blocks, model.final, x))

    best, spread, field, tried = common.tune(
        [{"variant": v} for v in (args.variants or "scan,unrolled").split(",")],
        prepare, lambda: None, jax.clear_caches, args.seconds)
    shown = None
    if best:
        shown = np.concatenate([np.linalg.norm(field, axis=-1).ravel(), field[0, -1]])
    return {PEER: common.outcome_of(best, spread, shown, tried)}


def machine():
    device = jax.devices()[0]
    return {"jax": jax.__version__, "hardware": device.device_kind, "measured": time.strftime("%Y-%m-%d")}


def main():
    args = common.arguments(__doc__)
    jax.config.update("jax_platforms", args.device)
    jax.config.update("jax_default_matmul_precision", "tensorfloat32" if args.precision == "tf32" else "float32")
    runs = {"tangent": run_columns, "adjoint": run_columns, "sensitivity": run_sensitivity}
    return common.run_cases(
        args, PEER, list(runs), Gpt2, lambda model, work: runs[work["kind"]](args, model, work), machine())


if __name__ == "__main__":
    sys.exit(main())
