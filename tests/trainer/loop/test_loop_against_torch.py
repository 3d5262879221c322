"""The loop's parts against torch and transformers, and checkpoints as transformers and a killer see them."""
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import time

import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file

TOOL = pathlib.Path(os.environ.get("RIMSCOPE_BIN", "build/release/bin")) / "loop_tool"


def tool(*arguments, **environment):
    result = subprocess.run([TOOL, *map(str, arguments)], capture_output=True, text=True, env={**os.environ, **environment})
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.mark.parametrize("name", ["linear", "cosine", "constant", "constant_with_warmup"])
@pytest.mark.parametrize("warmup,total", [(0, 7), (3, 20), (10, 400), (5, 5)])
def test_schedule_is_transformers(name, warmup, total):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=3e-4)
    scheduler = transformers.get_scheduler(name, optimizer, num_warmup_steps=warmup, num_training_steps=total)
    expected = []
    for _ in range(total):
        expected.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    found = [float(line) for line in tool("schedule", name, 3e-4, warmup, total).split()]
    assert found == pytest.approx(expected, rel=1e-14, abs=1e-20)


def random_problem(steps):
    torch.manual_seed(0)
    weights = {"a.matrix": torch.randn(37, 19), "b.vector": torch.randn(53), "c.matrix": torch.randn(5, 64)}
    gradients = [{name: torch.randn_like(w) * 10 ** random.Random(step).uniform(-4, 1) for name, w in weights.items()}
                 for step in range(steps)]
    return weights, gradients


def run_adamw(tmp_path, dtype, weights, gradients, decay=0.1, rate=3e-3):
    flat = {f"w.{name}": w for name, w in weights.items()}
    flat |= {f"g.{step}.{name}": g for step, grads in enumerate(gradients) for name, g in grads.items()}
    save_file(flat, tmp_path / "in.safetensors")
    tool("adamw", dtype, 0.9, 0.95, 1e-8, decay, rate, tmp_path / "in.safetensors", tmp_path / "out.safetensors")
    return {name[2:]: w for name, w in load_file(tmp_path / "out.safetensors").items()}


def torch_adamw(weights, gradients, decay=0.1, rate=3e-3):
    masters = {name: torch.nn.Parameter(w.clone()) for name, w in weights.items()}
    groups = [{"params": [p for p in masters.values() if p.dim() > 1], "weight_decay": decay},
              {"params": [p for p in masters.values() if p.dim() == 1], "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=rate, betas=(0.9, 0.95), eps=1e-8, fused=True)
    for grads in gradients:
        for name, p in masters.items():
            p.grad = grads[name].clone()
        optimizer.step()
    return {name: p.detach() for name, p in masters.items()}


def test_adamw_is_torchs_fused_one(tmp_path):
    weights, gradients = random_problem(20)
    found = run_adamw(tmp_path, "fp32", weights, gradients)
    for name, expected in torch_adamw(weights, gradients).items():
        assert torch.equal(found[name], expected), name


def test_adamw_rounds_fp32_masters_into_bf16(tmp_path):
    weights, gradients = random_problem(20)
    weights = {name: w.bfloat16().float() for name, w in weights.items()}
    found = run_adamw(tmp_path, "bf16", weights, gradients)
    for name, expected in torch_adamw(weights, gradients).items():
        assert torch.equal(found[name], expected.bfloat16()), name


@pytest.mark.parametrize("limit", [0.5, 1e9])
def test_clipping_is_torchs(tmp_path, limit):
    torch.manual_seed(1)
    gradients = {f"g{i}": torch.randn(3 + i, 11) for i in range(4)}
    save_file(gradients, tmp_path / "in.safetensors")
    tool("clip", limit, tmp_path / "in.safetensors", tmp_path / "out.safetensors")
    found = load_file(tmp_path / "out.safetensors")
    parameters = [torch.nn.Parameter(torch.zeros_like(g)) for g in gradients.values()]
    for p, g in zip(parameters, gradients.values()):
        p.grad = g.clone()
    norm = torch.nn.utils.clip_grad_norm_(parameters, limit)
    torch.testing.assert_close(found["norm"][0], norm, rtol=1e-6, atol=0)
    for name, p in zip(gradients, parameters):
        torch.testing.assert_close(found[name], p.grad, rtol=1e-6, atol=0)


def tiny_config(folder):
    config = transformers.Qwen3Config(
        vocab_size=97, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, head_dim=8, max_position_embeddings=64, tie_word_embeddings=False)
    config.architectures = ["Qwen3ForCausalLM"]
    config.save_pretrained(folder)
    return folder / "config.json"


def logged(run):
    records = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    return [{key: value for key, value in record.items() if key != "seconds"} for record in records]


def torch_loop(model, batches, steps):
    """The textbook loop; what ours must equal up to rounding."""
    groups = [{"params": [p for p in model.parameters() if p.dim() > 1], "weight_decay": 0.1},
              {"params": [p for p in model.parameters() if p.dim() == 1], "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=1e-3)
    scheduler = transformers.get_scheduler("cosine", optimizer, num_warmup_steps=2, num_training_steps=steps)
    for batch in batches:
        tokens = torch.tensor(batch["tokens"]).view(batch["rows"], -1)
        targets = torch.tensor(batch["targets"]).view(batch["rows"], -1)
        loss = torch.nn.functional.cross_entropy(model(tokens).logits.flatten(0, 1), targets.flatten())
        optimizer.zero_grad()
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        yield loss.item(), norm.item(), optimizer.param_groups[0]["lr"]
        optimizer.step()
        scheduler.step()


@pytest.mark.parametrize("accumulation", [1, 4])
def test_training_equals_a_plain_torch_loop(tmp_path, accumulation):
    steps = 10
    config = tiny_config(tmp_path)
    subprocess.run([TOOL.parent / "model_tool", "initialize", config, "fp32", "7", tmp_path], check=True)
    model = transformers.AutoModelForCausalLM.from_pretrained(tmp_path, dtype=torch.float32, attn_implementation="eager")
    batches = [json.loads(line) for line in tool("batches", config, steps).splitlines()]
    expected = list(torch_loop(model, batches, steps))

    final = pathlib.Path(tool("train", config, "fp32", tmp_path / "run", steps, 0, accumulation).strip())
    log = logged(tmp_path / "run")
    assert list(log[0]) == ["step", "loss", "learning_rate", "grad_norm", "tokens"]
    assert [record["step"] for record in log] == list(range(1, steps + 1))
    assert [record["loss"] for record in log] == pytest.approx([loss for loss, _, _ in expected], rel=1e-5)
    assert [record["grad_norm"] for record in log] == pytest.approx([norm for _, norm, _ in expected], rel=1e-4)
    assert [record["learning_rate"] for record in log] == pytest.approx([rate for _, _, rate in expected], rel=1e-12)
    ours = transformers.AutoModelForCausalLM.from_pretrained(final, dtype="auto")
    for (name, found), (_, wanted) in zip(ours.named_parameters(), model.named_parameters()):
        torch.testing.assert_close(found, wanted, rtol=1e-3, atol=1e-5, msg=name)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_transformers_opens_a_checkpoint_as_it_is(tmp_path, dtype):
    final = pathlib.Path(tool("train", tiny_config(tmp_path), "fp32" if dtype == "float32" else "bf16",
                              tmp_path / "run", 2, 0, 1).strip())
    model = transformers.AutoModelForCausalLM.from_pretrained(final, dtype="auto")
    assert model.dtype == getattr(torch, dtype)
    stored = load_file(final / "model.safetensors")
    assert set(stored) == set(model.state_dict())
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, stored[name]), name


def test_killed_at_any_time_it_resumes_as_if_nothing_had_happened(tmp_path):
    config = tiny_config(tmp_path)
    arguments = [config, "fp32", tmp_path / "whole", 40, 2, 1]
    whole = pathlib.Path(tool("train", *arguments).strip())
    draw = random.Random(0)
    arguments[2] = tmp_path / "killed"
    kills = 0
    # By step, not by the clock: a run that ended before the signal would show nothing. The short wait after the step lets
    # some kills fall into the writing of a checkpoint.
    for step in (3, 7, 12, 16, 21, 25, 30, 34):
        process = subprocess.Popen([TOOL, "train", *map(str, arguments)], stdout=subprocess.DEVNULL)
        log = arguments[2] / "log.jsonl"
        while process.poll() is None and not (log.exists() and log.read_text().count("\n") >= step):
            time.sleep(0.001)
        time.sleep(draw.uniform(0, 0.02))
        kills += process.poll() is None
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert kills >= 2, "the process must be killed in mid-run to show anything"
    final = pathlib.Path(tool("train", *arguments).strip())
    assert logged(tmp_path / "killed") == logged(tmp_path / "whole")
    for name in ["model.safetensors", "optimizer.safetensors"]:
        assert (final / name).read_bytes() == (whole / name).read_bytes(), name
    left = sorted(entry.name for entry in final.parent.iterdir())
    assert left == ["step-000038", "step-000040"]


def test_a_singleton_under_slurm_is_refused(tmp_path):
    environment = {key: value for key, value in os.environ.items() if not key.startswith("OMPI_COMM_WORLD")}
    result = subprocess.run([TOOL, "train", "none", "fp32", tmp_path, "1", "0", "1"], capture_output=True, text=True,
                            env={**environment, "SLURM_NTASKS": "4"})
    assert result.returncode == 78
    assert "srun --mpi=pmix" in result.stderr
    assert shutil.which("mpirun"), "mpirun is part of the set-up"
