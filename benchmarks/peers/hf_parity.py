"""Random configurations of every family, computed by Greenfield and by Hugging Face's transformers in float64, compared number by number.

    python3 benchmarks/peers/hf_parity.py --greenfield "java -jar target/greenfield.jar" [--count 10] [--family gemma2] [--backend reference]

It needs torch and transformers 5. Models have random weights and are written to a temporary folder, some 30 thousand parameters each. What is
compared: the residual stream at every depth, the logits, dF/dR for a logit difference, and a Green operator from depth 1 to the last depth.
transformers must compute attention by its definition (attn_implementation="eager"): its default drops the soft cap of Gemma 2's scores.
Gemma's embedding scale is rounded to the type in which a model is loaded: so models are loaded in float32 and widened then.
Norms, softmax and rotary angles are computed in float32 there whatever the model's type is; see in_float64.
"""

import argparse
import json
import os
import random
import shlex
import struct
import subprocess
import sys
import tempfile

import numpy as np
import torch
import transformers

VOCABULARY, POSITIONS = 83, 64
BOUNDS = {"reference": 1e-9, "cpu": 3e-4, "cuda": 3e-3}


def common(rng, head_widths=(8, 12, 16)):
    """Sizes that all families have, with grouped keys, and a head width that need not be D / H."""
    heads = rng.choice([2, 4, 6])
    return dict(
        vocab_size=VOCABULARY,
        max_position_embeddings=POSITIONS,
        num_hidden_layers=rng.randint(2, 4),
        num_attention_heads=heads,
        num_key_value_heads=rng.choice([k for k in (1, 2, heads) if heads % k == 0]),
        head_dim=rng.choice(head_widths),
        hidden_size=rng.choice([24, 36, 48]),
        intermediate_size=rng.choice([20, 57, 96]),
        rms_norm_eps=rng.choice([1e-6, 1e-5, 1e-3]),
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=0)


def rope(rng, kinds):
    kind = rng.choice(kinds)
    found = dict(rope_type=kind, rope_theta=rng.choice([500.0, 10000.0, 1e6]))
    if kind != "default":
        found["factor"] = rng.choice([2.0, 8.0])
    if kind == "llama3":
        found.update(low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=16)
    if kind == "yarn":
        found.update(original_max_position_embeddings=16)
        if rng.random() < 0.5:
            found.update(beta_fast=rng.choice([4.0, 32.0]), beta_slow=1.0, truncate=rng.random() < 0.5)
    return found


def llama(rng):
    return transformers.LlamaConfig(
        **common(rng), rope_parameters=rope(rng, ["default", "linear", "llama3", "yarn"]),
        attention_bias=rng.random() < 0.5, mlp_bias=rng.random() < 0.5, tie_word_embeddings=rng.random() < 0.5,
        hidden_act=rng.choice(["silu", "gelu", "gelu_pytorch_tanh", "relu"]))


def mistral(rng):
    return transformers.MistralConfig(
        **common(rng), rope_parameters=rope(rng, ["default", "linear"]), sliding_window=rng.choice([None, 1, 3, 5]),
        tie_word_embeddings=rng.random() < 0.5)


def qwen(rng, kind):
    sizes = common(rng)
    if kind is transformers.Qwen2Config:
        sizes["hidden_size"] = sizes["num_attention_heads"] * sizes.pop("head_dim")
    slides = rng.random() < 0.6
    return kind(
        **sizes, rope_parameters=rope(rng, ["default", "yarn"]), use_sliding_window=slides, sliding_window=rng.choice([2, 4]),
        max_window_layers=rng.randint(0, 2), tie_word_embeddings=rng.random() < 0.5)


def neox(rng):
    heads, width = rng.choice([2, 4]), rng.choice([12, 16])
    return transformers.GPTNeoXConfig(
        vocab_size=VOCABULARY, max_position_embeddings=POSITIONS, num_hidden_layers=rng.randint(2, 4), num_attention_heads=heads,
        hidden_size=heads * width, intermediate_size=rng.choice([20, 57, 96]), hidden_act=rng.choice(["gelu", "gelu_new", "relu"]),
        layer_norm_eps=rng.choice([1e-5, 1e-3]), use_parallel_residual=rng.random() < 0.7, attention_bias=rng.random() < 0.7,
        tie_word_embeddings=rng.random() < 0.3,
        rope_parameters=dict(rope_type="default", rope_theta=rng.choice([500.0, 10000.0]), partial_rotary_factor=rng.choice([0.25, 0.5, 1.0])))


def neo(rng):
    heads, width, pairs = rng.choice([2, 4]), rng.choice([8, 12]), rng.randint(1, 2)
    return transformers.GPTNeoConfig(
        vocab_size=VOCABULARY, max_position_embeddings=POSITIONS, num_layers=2 * pairs, num_heads=heads, hidden_size=heads * width,
        intermediate_size=rng.choice([None, 40]), attention_types=[[["global", "local"], pairs]], window_size=rng.choice([1, 3, 5]),
        activation_function=rng.choice(["gelu_new", "gelu", "relu"]), layer_norm_epsilon=rng.choice([1e-5, 1e-3]))


def gpt2(rng):
    heads, width = rng.choice([2, 4]), rng.choice([8, 12])
    return transformers.GPT2Config(
        vocab_size=VOCABULARY, n_positions=POSITIONS, n_layer=rng.randint(2, 4), n_head=heads, n_embd=heads * width,
        n_inner=rng.choice([None, 40]), activation_function=rng.choice(["gelu_new", "gelu", "relu"]),
        scale_attn_by_inverse_layer_idx=rng.random() < 0.3, tie_word_embeddings=rng.random() < 0.7)


def gemma(rng):
    return transformers.GemmaConfig(**common(rng), rope_parameters=rope(rng, ["default", "linear"]), attention_bias=rng.random() < 0.3)


def gemma2(rng):
    sizes = common(rng)
    layers = sizes["num_hidden_layers"]
    more = {} if rng.random() < 0.5 else dict(layer_types=rng.choices(["full_attention", "sliding_attention"], k=layers))
    return transformers.Gemma2Config(
        **sizes, **more, rope_parameters=rope(rng, ["default"]), query_pre_attn_scalar=rng.choice([9, 16]), sliding_window=rng.choice([2, 4]),
        attn_logit_softcapping=rng.choice([None, 2.0, 50.0]), final_logit_softcapping=rng.choice([None, 4.0, 30.0]))


def gemma3(rng):
    sizes = common(rng)
    kinds = rng.choices(["full_attention", "sliding_attention"], k=sizes["num_hidden_layers"])
    return transformers.Gemma3TextConfig(
        **sizes, layer_types=kinds, query_pre_attn_scalar=rng.choice([9, 16]), sliding_window=rng.choice([2, 4]),
        final_logit_softcapping=rng.choice([None, 4.0]),
        rope_parameters=dict(
            full_attention=rope(rng, ["default", "linear"]),
            sliding_attention=dict(rope_type="default", rope_theta=rng.choice([500.0, 10000.0]))))


def olmo2(rng):
    sizes = common(rng)
    sizes["hidden_size"] = sizes["num_attention_heads"] * sizes.pop("head_dim")
    return transformers.Olmo2Config(
        **sizes, rope_parameters=rope(rng, ["default", "linear"]), attention_bias=rng.random() < 0.3, tie_word_embeddings=rng.random() < 0.5)


FAMILIES = dict(
    gpt2=gpt2, llama=llama, mistral=mistral, qwen2=lambda rng: qwen(rng, transformers.Qwen2Config),
    qwen3=lambda rng: qwen(rng, transformers.Qwen3Config), gpt_neox=neox, gpt_neo=neo, gemma=gemma, gemma2=gemma2, gemma3=gemma3, olmo2=olmo2)


def write_model(config, folder, seed):
    torch.manual_seed(seed)
    model = transformers.AutoModelForCausalLM.from_config(config, attn_implementation="eager")
    gain = 0.0 if config.model_type.startswith("gemma") else 1.0
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.normal_(0, 0.2)
            if parameter.dim() == 1 and name.endswith("weight"):
                parameter.add_(gain)
    model.save_pretrained(folder)


def blocks_of(model):
    for path in ("transformer.h", "gpt_neox.layers", "model.layers"):
        found = model
        for part in path.split("."):
            found = getattr(found, part, None)
        if found is not None:
            return found
    raise ValueError("no blocks in " + type(model).__name__)


def in_float64():
    """From now on what asks for float32 gets float64: otherwise norms and angles round at 1e-7 in a float64 model too."""
    to, softmax, arange = torch.Tensor.to, torch.nn.functional.softmax, torch.arange

    def wide(values):
        return [torch.float64 if value is torch.float32 else value for value in values]

    def widened(function):
        return lambda *args, **named: function(*wide(args), **dict(zip(named, wide(named.values()))))

    torch.Tensor.to = widened(to)
    torch.Tensor.float = lambda self, *args, **named: self.double()
    torch.nn.functional.softmax = widened(softmax)
    torch.arange = widened(arange)


def judged(folder, tokens, answer, foil, depth, token):
    """Field [L+1, T, D], logits [T, V], dF/dR and the Green operator [T, D, D] from one site to the last depth."""
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, attn_implementation="eager", dtype=torch.float32).double().eval()
    blocks = blocks_of(model)
    ids = torch.tensor([tokens])
    stream, source = {}, {}

    def before(l):
        def hook(module, args, kwargs):
            x = args[0] if args else kwargs["hidden_states"]
            if l in source:
                x = x.clone()
                x[0, token] = x[0, token] + source[l]
            if not source:
                x.retain_grad() if x.requires_grad else x.requires_grad_()
            stream[l] = x
            return ((x,) + args[1:], kwargs) if args else (args, dict(kwargs, hidden_states=x))
        return hook

    def after(module, args, kwargs, output):
        stream[len(blocks)] = output[0] if isinstance(output, tuple) else output
        if stream[len(blocks)].dim() == 2:
            stream[len(blocks)] = output
        if not source:
            stream[len(blocks)].retain_grad()

    for l, block in enumerate(blocks):
        block.register_forward_pre_hook(before(l), with_kwargs=True)
    blocks[-1].register_forward_hook(after, with_kwargs=True)
    logits = model(ids, use_cache=False).logits[0]
    (logits[-1, answer] - logits[-1, foil]).backward()
    field = np.stack([stream[l][0].detach().numpy() for l in range(len(blocks) + 1)])
    gradient = np.stack([stream[l].grad[0].numpy() for l in range(len(blocks) + 1)])

    def final(e):
        source[depth] = e
        model(ids, use_cache=False)
        return stream[len(blocks)][0]

    green = torch.autograd.functional.jacobian(final, torch.zeros(field.shape[2], dtype=torch.float64), vectorize=True)
    return {"field": field, "logits": logits.detach().numpy(), "sensitivity": gradient, "green": green.numpy()}


def computed(command, folder, work, backend, tokens, answer, foil, depth, token):
    found = {}
    shared = ["--model", folder, "--tokens", ",".join(map(str, tokens)), "--backend", backend, "--quiet"]
    calls = {
        "field": [],
        "sensitivity": ["--answer", "#%d" % answer, "--foil", "#%d" % foil],
        "green": ["--depth", str(depth), "--token", str(token)]}
    for name, options in calls.items():
        out = os.path.join(work, name)
        subprocess.run(command + [name] + shared + options + ["--out", out], check=True, stdout=subprocess.DEVNULL)
        found.update(tensors(os.path.join(out, "tensors.safetensors")))
    return found


def tensors(path):
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        data = file.read()
    types = {"F64": np.float64, "F32": np.float32}
    return {
        name: np.frombuffer(data[slice(*entry["data_offsets"])], types[entry["dtype"]]).reshape(entry["shape"]).astype(np.float64)
        for name, entry in header.items() if name != "__metadata__"}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--greenfield", required=True, help='the command, such as "java -jar target/greenfield.jar"')
    parser.add_argument("--count", type=int, default=10, help="configurations of each family")
    parser.add_argument("--family", default="", help="only this one: " + ", ".join(FAMILIES))
    parser.add_argument("--backend", default="reference", choices=sorted(BOUNDS))
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    in_float64()
    bound, worse = BOUNDS[arguments.backend], 0
    for family in [arguments.family] if arguments.family else FAMILIES:
        worst = {}
        for number in range(arguments.count):
            rng = random.Random("%s %d %d" % (family, arguments.seed, number))
            config = FAMILIES[family](rng)
            tokens = [rng.randrange(3, VOCABULARY) for _ in range(9)]
            question = (tokens, 7, 11, 1, rng.randrange(0, 5))
            with tempfile.TemporaryDirectory() as work:
                folder = os.path.join(work, "model")
                write_model(config, folder, number)
                wanted = judged(folder, *question)
                found = computed(shlex.split(arguments.greenfield), folder, work, arguments.backend, *question)
            for name, values in wanted.items():
                error = np.abs(found[name] - values).max() / np.abs(values).max()
                worst[name] = max(worst.get(name, 0), error)
                if not error <= bound:
                    worse += 1
                    print("%s %d: %s is off by %.1e, expected at most %.0e: %s" % (family, number, name, error, bound, json.dumps(config.to_dict())))
        print("%-9s %d configurations: %s" % (family, arguments.count, ", ".join("%s %.1e" % item for item in worst.items())), flush=True)
    print("transformers %s, torch %s, backend %s" % (transformers.__version__, torch.__version__, arguments.backend))
    sys.exit(1 if worse else 0)


if __name__ == "__main__":
    main()
