"""GPT-2 in plain PyTorch: pre-LayerNorm, learned positions, tanh GELU, weights [in, out]; float32."""

import math
import time

import torch
import torch.nn.functional as F

from common import ANSWER, FOIL, load_weights, prompt

try:
    from torch.func import jvp, vjp, vmap
except ImportError:  # before PyTorch 2
    from functorch import jvp, vjp, vmap

__all__ = ["Gpt2", "jvp", "vjp", "vmap", "machine", "set_precision", "synchronizer", "release"]


def attention_math(q, k, v, mask):
    """Written out: works under every transform. q, k, v [..., H, T, h], mask [T, T] true where a key is hidden."""
    scores = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])
    return torch.softmax(scores.masked_fill(mask, float("-inf")), -1) @ v


def attention_sdpa(q, k, v, mask):
    """Whatever kernel PyTorch picks; most fused ones have no forward-mode derivative."""
    return F.scaled_dot_product_attention(q, k, v, is_causal=True)


def attention_sdpa_math(q, k, v, mask):
    """PyTorch's own unfused form."""
    from torch.nn.attention import SDPBackend, sdpa_kernel
    with sdpa_kernel(SDPBackend.MATH):
        return F.scaled_dot_product_attention(q, k, v, is_causal=True)


ATTENTION = {"math": attention_math, "sdpa": attention_sdpa, "sdpa-math": attention_sdpa_math}


class Gpt2:
    """Weights on a device and the parts of a forward pass. x is [..., T, D]."""

    def __init__(self, directory, device):
        config, tensors = load_weights(directory)
        self.layers, self.heads, self.width = config["n_layer"], config["n_head"], config["n_embd"]
        self.vocabulary, self.epsilon = config["vocab_size"], config["layer_norm_epsilon"]
        self.w = {name: torch.from_numpy(tensor.copy()).to(device) for name, tensor in tensors.items()}
        self.device = device
        head = self.w.get("lm_head.weight", self.w["wte.weight"])
        self.readout = head[ANSWER] - head[FOIL]  # [D]
        self.attention = attention_math

    def mask(self, tokens):
        return torch.ones(tokens, tokens, dtype=torch.bool, device=self.device).triu(1)

    def norm(self, x, name):
        return F.layer_norm(x, (self.width,), self.w[name + ".weight"], self.w[name + ".bias"], self.epsilon)

    def linear(self, x, name):
        return x @ self.w[name + ".weight"] + self.w[name + ".bias"]

    def queries_keys_values(self, l, x):
        """q, k, v [..., H, T, h] of block l."""
        name = f"h.{l}."
        split = x.shape[:-1] + (self.heads, self.width // self.heads)
        parts = self.linear(self.norm(x, name + "ln_1"), name + "attn.c_attn").chunk(3, -1)
        return (part.reshape(split).transpose(-3, -2) for part in parts)

    def block(self, l, x, mask, before=None):
        """
        R[l] [..., T, D] to R[l + 1].

        before: keys and values [H, t, h] of earlier tokens that stay as they are, so that x has the later ones only; the mask is then
        [T, t + T].
        """
        name = f"h.{l}."
        q, k, v = self.queries_keys_values(l, x)
        if before is not None:
            k, v = torch.cat((before[0], k), -2), torch.cat((before[1], v), -2)
        mixed = self.attention(q, k, v, mask).transpose(-3, -2).reshape(x.shape)
        x = x + self.linear(mixed, name + "attn.c_proj")
        u = self.linear(self.norm(x, name + "ln_2"), name + "mlp.c_fc")
        return x + self.linear(F.gelu(u, approximate="tanh"), name + "mlp.c_proj")

    def suffix(self, x, depth):
        """The blocks from a depth on: R[depth] [..., T, D] to R[L]."""
        mask = self.mask(x.shape[-2])
        for l in range(depth, self.layers):
            x = self.block(l, x, mask)
        return x

    def embed(self, which, tokens):
        ids = torch.tensor(prompt(which, tokens, self.vocabulary), device=self.device)
        return self.w["wte.weight"][ids] + self.w["wpe.weight"][:tokens]

    def residuals(self, which, tokens):
        """R [L+1][T, D] of a prompt."""
        x, mask = self.embed(which, tokens), self.mask(tokens)
        found = [x]
        for l in range(self.layers):
            found.append(self.block(l, found[-1], mask))
        return found

    def value(self, x):
        """F of R[L], [..., T, D] to [...]."""
        return self.norm(x[..., -1, :], "ln_f") @ self.readout


def set_precision(precision):
    allowed = precision == "tf32"
    torch.backends.cuda.matmul.allow_tf32 = allowed
    torch.backends.cudnn.allow_tf32 = allowed


def synchronizer(device):
    return torch.cuda.synchronize if device == "cuda" else (lambda: None)


def release():
    """Gives cached memory back, so that a choice that ran out of memory does not spoil the next."""
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def machine(device):
    found = {"torch": torch.__version__, "cuda": torch.version.cuda, "measured": time.strftime("%Y-%m-%d")}
    found["hardware"] = torch.cuda.get_device_name() if device == "cuda" else f"{torch.get_num_threads()} CPU threads"
    return found
