"""trainer/model against transformers: logits, loss, gradients, taps, generation and files of random small models."""
import json
import subprocess

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, LlamaConfig, MistralConfig, Qwen2Config, Qwen3Config

import runs

TOOL = runs.program("model_tool")

VOCABULARY, BATCH = 199, 4  # with two key-value heads just enough for attention in blocks
LENGTHS = [41, 512]  # below and above the lengths from which attention goes in blocks
SIZES = dict(vocab_size=VOCABULARY, hidden_size=48, intermediate_size=112, num_hidden_layers=3, num_attention_heads=6,
             num_key_value_heads=2, max_position_embeddings=512, initializer_range=0.2, bos_token_id=None,
             eos_token_id=None)
LLAMA3_ROPE = {"rope_type": "llama3", "rope_theta": 500.0, "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
               "original_max_position_embeddings": 32}
QWEN_WINDOW = dict(use_sliding_window=True, sliding_window=9, max_window_layers=1)
CONFIGS = {
    "llama": LlamaConfig(**SIZES),
    "llama_biases": LlamaConfig(**SIZES, attention_bias=True, mlp_bias=True, tie_word_embeddings=True),
    "llama_padding": LlamaConfig(**SIZES, pad_token_id=3),
    "llama31": LlamaConfig(**SIZES, rope_parameters=LLAMA3_ROPE),
    "llama_wide_heads": LlamaConfig(**SIZES, head_dim=32),
    "mistral_window": MistralConfig(**SIZES, sliding_window=7),
    "mistral_full": MistralConfig(**SIZES, sliding_window=None, tie_word_embeddings=True),
    "qwen2": Qwen2Config(**SIZES),
    "qwen2_tied": Qwen2Config(**SIZES, tie_word_embeddings=True),
    "qwen2_window": Qwen2Config(**SIZES, **QWEN_WINDOW),
    "qwen3": Qwen3Config(**SIZES, head_dim=16),
    "qwen3_tied_biases": Qwen3Config(**SIZES, head_dim=10, attention_bias=True, tie_word_embeddings=True),
    "qwen3_window": Qwen3Config(**SIZES, head_dim=16, **QWEN_WINDOW),
    "qwen3_all_heads": Qwen3Config(**{**SIZES, "num_key_value_heads": 6}, head_dim=8),
}


def run_tool(*arguments):
    return subprocess.run([TOOL, *map(str, arguments)], check=True, capture_output=True, text=True).stdout


def relative_difference(ours, theirs):
    ours, theirs = ours.double(), theirs.double()
    return float((ours - theirs).abs().max() / theirs.abs().max().clamp_min(1e-30))


def random_model(config, folder, **save_options):
    torch.manual_seed(7)
    model = AutoModelForCausalLM.from_config(config, attn_implementation="eager").eval()
    with torch.no_grad():  # transformers starts norms at one and biases at zero: a swapped pair would go unseen
        for name, parameter in model.named_parameters():
            if parameter.ndim == 1:
                parameter.copy_(torch.randn_like(parameter) * 0.3 + (1.0 if "norm" in name else 0.0))
    model.save_pretrained(folder, **save_options)
    return model


def random_batch(path, time=41):
    generator = torch.Generator().manual_seed(3)
    tokens = torch.randint(0, VOCABULARY, (BATCH, time), generator=generator)
    targets = torch.randint(0, VOCABULARY, (BATCH, time), generator=generator)
    targets[torch.rand(BATCH, time, generator=generator) < 0.3] = -100
    save_file({"tokens": tokens, "targets": targets}, path)
    return tokens, targets


def reference_pass(model, tokens, targets):
    """loss_sum / 3 backwards, as model_tool's forward does."""
    model.zero_grad()
    logits = model(tokens).logits
    loss = torch.nn.functional.cross_entropy(logits.float().flatten(0, 1), targets.flatten(), reduction="sum")
    (loss / 3).backward()
    gradients = {name: parameter.grad for name, parameter in model.named_parameters()}
    return logits.detach(), loss.detach(), gradients


@pytest.fixture(params=CONFIGS)
def case(request, tmp_path):
    return random_model(CONFIGS[request.param], tmp_path / "model"), tmp_path


@pytest.mark.parametrize("time", LENGTHS)
def test_logits_loss_and_gradients(case, time):
    model, folder = case
    tokens, targets = random_batch(folder / "in.safetensors", time)
    run_tool("forward", folder / "model", "fp32", folder / "in.safetensors", folder / "out.safetensors")
    ours = load_file(folder / "out.safetensors")
    for attention in ("eager", "sdpa"):
        model.set_attn_implementation(attention)
        logits, loss, gradients = reference_pass(model, tokens, targets)
        assert {name[9:] for name in ours if name.startswith("gradient.")} == set(gradients)
        differences = {"gradient." + name: relative_difference(ours["gradient." + name], gradient)
                       for name, gradient in gradients.items()}
        differences["logits"] = relative_difference(ours["logits"], logits)
        differences["loss"] = relative_difference(ours["loss"], loss)
        assert max(differences.values()) <= 1e-5, (attention, {n: d for n, d in differences.items() if d > 1e-5})


@pytest.mark.parametrize("time", LENGTHS)
@pytest.mark.parametrize("name", ["llama31", "mistral_window", "qwen2", "qwen3"])
def test_bf16_is_as_close_to_fp32_as_transformers(name, time, tmp_path):
    model = random_model(CONFIGS[name], tmp_path / "model")
    with torch.no_grad():  # the same weights in both precisions
        for parameter in model.parameters():
            parameter.copy_(parameter.bfloat16().float())
    model.save_pretrained(tmp_path / "model")
    tokens, targets = random_batch(tmp_path / "in.safetensors", time)
    exact_logits, exact_loss, exact = reference_pass(model, tokens, targets)
    model = model.bfloat16()
    their_logits, their_loss, theirs = reference_pass(model, tokens, targets)
    run_tool("forward", tmp_path / "model", "bf16", tmp_path / "in.safetensors", tmp_path / "out.safetensors")
    ours = load_file(tmp_path / "out.safetensors")

    def distance(x, y):
        return float((x.double() - y.double()).norm() / y.double().norm())

    assert ours["logits"].dtype == torch.bfloat16
    assert distance(ours["logits"], exact_logits) <= 1.1 * distance(their_logits, exact_logits)
    assert distance(ours["loss"], exact_loss) <= 2e-3
    # Rounding errors of single gradients are noise of about the same size; their mean must not be larger.
    own = {parameter: distance(ours["gradient." + parameter], gradient) for parameter, gradient in exact.items()}
    reference = {parameter: distance(theirs[parameter], gradient) for parameter, gradient in exact.items()}
    assert sum(own.values()) <= 1.25 * sum(reference.values())
    for parameter, value in own.items():
        assert value <= 3 * reference[parameter] + 1e-3, parameter


def test_taps_equal_hooks(case):
    model, folder = case
    tokens, _ = random_batch(folder / "in.safetensors")
    expected = {}
    hooks = []
    for i, layer in enumerate(model.model.layers):
        def keep(name, index=None):
            def hook(module, arguments, output=None):
                value = arguments[0] if index is None else output[index]
                expected[name] = value.detach()
            return hook
        hooks.append(layer.register_forward_pre_hook(keep(f"layers.{i}.resid")))
        hooks.append(layer.mlp.down_proj.register_forward_pre_hook(keep(f"layers.{i}.mlp.neurons")))
        hooks.append(layer.self_attn.register_forward_hook(keep(f"layers.{i}.attn.pattern", 1)))
    with torch.no_grad():
        expected["hidden"] = model.model(tokens).last_hidden_state
    run_tool("taps", folder / "model", "fp32", folder / "in.safetensors", folder / "out.safetensors")
    ours = load_file(folder / "out.safetensors")
    assert set(ours) == set(expected)
    for name, value in expected.items():
        assert ours[name].shape == value.shape
        assert relative_difference(ours[name], value) <= 1e-5, name


def generated_by_transformers(model, prompts):
    rows = [torch.tensor([prompt]) for prompt in prompts]
    return [model.generate(row, attention_mask=torch.ones_like(row), do_sample=False, max_new_tokens=64,
                           min_new_tokens=64, pad_token_id=0)[0, row.shape[1]:].tolist() for row in rows]


def generated_by_us(folder, prompts, stop_tokens=()):
    request = dict(prompts=prompts, max_new_tokens=64, stop_tokens=list(stop_tokens), batch_size=3)
    (folder / "request.json").write_text(json.dumps(request))
    return json.loads(run_tool("generate", folder / "model", "fp32", folder / "request.json"))


def random_prompts(lengths):
    generator = torch.Generator().manual_seed(11)
    return [torch.randint(0, VOCABULARY, (length,), generator=generator).tolist() for length in lengths]


@pytest.mark.parametrize("name", ["llama31", "mistral_window", "qwen2_window", "qwen2_tied", "qwen3"])
def test_greedy_generation_equals_transformers(name, tmp_path):
    model = random_model(CONFIGS[name], tmp_path / "model")
    prompts = random_prompts([5, 1, 23, 9, 30])
    expected = generated_by_transformers(model, prompts)
    # Stop tokens that occur in some rows but not at once, so that rows leave the batch at different steps.
    for stop_tokens in ([], sorted({expected[2][20], expected[3][3]})):
        for reply, full in zip(generated_by_us(tmp_path, prompts, stop_tokens), expected, strict=True):
            end = next((i + 1 for i, token in enumerate(full) if token in stop_tokens), None)
            assert reply == {"tokens": full[:end], "stopped": end is not None}


# A window shorter than both prompts, one between them, one that generation outgrows, and none.
@pytest.mark.parametrize("window", [40, 200, 290, None])
def test_generation_from_long_prompts_equals_transformers(window, tmp_path):
    model = random_model(MistralConfig(**SIZES, sliding_window=window), tmp_path / "model")
    prompts = random_prompts([130, 260, 7])
    expected = generated_by_transformers(model, prompts)
    assert [reply["tokens"] for reply in generated_by_us(tmp_path, prompts)] == expected


@pytest.mark.parametrize("name", ["llama", "qwen2_tied", "qwen3"])
@pytest.mark.parametrize("shard_bytes", [1 << 40, 60_000])
def test_saved_weights_reload_in_transformers(name, shard_bytes, tmp_path):
    model = random_model(CONFIGS[name], tmp_path / "model")
    (tmp_path / "saved").mkdir()
    (tmp_path / "saved/config.json").write_text((tmp_path / "model/config.json").read_text())
    run_tool("save", tmp_path / "model", "fp32", tmp_path / "saved", shard_bytes)
    assert (len(list((tmp_path / "saved").glob("*.safetensors"))) > 1) == (shard_bytes < 1 << 40)
    again, report = AutoModelForCausalLM.from_pretrained(tmp_path / "saved", output_loading_info=True,
                                                         attn_implementation="eager")
    assert not report["missing_keys"] and not report["unexpected_keys"]
    for key, value in model.state_dict().items():
        assert torch.equal(value, again.state_dict()[key]), key
    tokens = torch.arange(20)[None]
    with torch.no_grad():
        assert torch.equal(model(tokens).logits, again.eval()(tokens).logits)


def test_reads_transformers_shards(tmp_path):
    model = random_model(CONFIGS["qwen3"], tmp_path / "model", max_shard_size="50KB")
    assert len(list((tmp_path / "model").glob("model-*.safetensors"))) > 1
    tokens, targets = random_batch(tmp_path / "in.safetensors")
    run_tool("forward", tmp_path / "model", "fp32", tmp_path / "in.safetensors", tmp_path / "out.safetensors")
    logits, _, _ = reference_pass(model, tokens, targets)
    assert relative_difference(load_file(tmp_path / "out.safetensors")["logits"], logits) <= 1e-5


def tied_folder(folder, stored):
    """A tied model that stores its embedding, its head or both, the head equal or another one."""
    model = random_model(CONFIGS["qwen2_tied"], folder)
    tensors = load_file(folder / "model.safetensors")
    embedding = tensors["model.embed_tokens.weight"]
    tensors["lm_head.weight"] = embedding + 0.1 * torch.randn_like(embedding) if stored == "other head" else embedding.clone()
    if stored == "head":
        del tensors["model.embed_tokens.weight"]
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})
    return model


@pytest.mark.parametrize("stored", ["head", "both"])
def test_tied_embeddings_may_be_stored_as_the_head(stored, tmp_path):
    model = tied_folder(tmp_path / "model", stored)
    reloaded = AutoModelForCausalLM.from_pretrained(tmp_path / "model").eval()
    assert torch.equal(reloaded.model.embed_tokens.weight, model.model.embed_tokens.weight)
    tokens, _ = random_batch(tmp_path / "in.safetensors")
    run_tool("forward", tmp_path / "model", "fp32", tmp_path / "in.safetensors", tmp_path / "out.safetensors")
    with torch.no_grad():
        assert relative_difference(load_file(tmp_path / "out.safetensors")["logits"], reloaded(tokens).logits) <= 1e-5


def test_refuses_another_head_where_transformers_does_not_tie(tmp_path):
    tied_folder(tmp_path / "model", "other head")
    random_batch(tmp_path / "in.safetensors")
    arguments = ["forward", tmp_path / "model", "fp32", tmp_path / "in.safetensors", tmp_path / "out.safetensors"]
    refused = subprocess.run([TOOL, *map(str, arguments)], capture_output=True, text=True)
    assert refused.returncode == 65 and "set tie_word_embeddings to false in config.json" in refused.stderr
    path = tmp_path / "model/config.json"
    theirs = AutoModelForCausalLM.from_pretrained(tmp_path / "model").eval()
    assert not torch.equal(theirs.lm_head.weight, theirs.model.embed_tokens.weight)
    path.write_text(json.dumps({**json.loads(path.read_text()), "tie_word_embeddings": False}))  # the remedy it names
    run_tool(*arguments)
    tokens = load_file(tmp_path / "in.safetensors")["tokens"]
    with torch.no_grad():
        assert relative_difference(load_file(tmp_path / "out.safetensors")["logits"], theirs(tokens).logits) <= 1e-5


def test_reads_the_config_spelling_of_transformers_4(tmp_path):
    model = random_model(CONFIGS["llama31"], tmp_path / "model")
    path = tmp_path / "model/config.json"
    config = json.loads(path.read_text())
    rope = config.pop("rope_parameters")
    config.update(rope_theta=rope.pop("rope_theta"), rope_scaling=rope, torch_dtype="float32", transformers_version="4.51.0")
    path.write_text(json.dumps(config))
    tokens, targets = random_batch(tmp_path / "in.safetensors")
    run_tool("forward", tmp_path / "model", "fp32", tmp_path / "in.safetensors", tmp_path / "out.safetensors")
    logits, _, _ = reference_pass(model, tokens, targets)
    assert relative_difference(load_file(tmp_path / "out.safetensors")["logits"], logits) <= 1e-5


def test_initialisation_follows_transformers_and_the_seed(tmp_path):
    config = LlamaConfig(**{**SIZES, "hidden_size": 96}, attention_bias=True, pad_token_id=5)
    config.save_pretrained(tmp_path)
    drawn = {}
    for label, dtype, seed in [("a", "fp32", 1), ("b", "fp32", 1), ("c", "bf16", 1), ("d", "fp32", 2)]:
        (tmp_path / label).mkdir()
        run_tool("initialize", tmp_path / "config.json", dtype, seed, tmp_path / label)
        drawn[label] = load_file(tmp_path / label / "model.safetensors")
    names = dict(AutoModelForCausalLM.from_config(config).named_parameters())
    assert set(drawn["a"]) == set(names)
    for name, value in drawn["a"].items():
        assert torch.equal(value, drawn["b"][name])
        assert torch.equal(value.bfloat16(), drawn["c"][name])
        if value.ndim == 1:
            assert torch.equal(value, names[name]), name
        else:
            assert not torch.equal(value, drawn["d"][name])
            assert abs(float(value.std()) / config.initializer_range - 1) < 0.05
            assert abs(float(value.mean())) < 0.05 * config.initializer_range
    assert not drawn["a"]["model.embed_tokens.weight"][5].any()
