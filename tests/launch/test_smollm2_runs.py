# ctest: long
"""The shipped SmolLM2 configurations, as README gives them, cut to two steps and a few prompts: on what the project makes
and ships, and on GSM8K, AdvBench and XSTest themselves."""
import csv

import h5py
import numpy
import pytest
from safetensors import safe_open
from transformers import AutoModelForCausalLM

import runs
import smollm2

STEPS, PROMPTS, NEW_TOKENS, CONTROLS = 2, 5, 16, 20
# Layers 20 to 29, as the configurations' `trainable:` says.
TRAINED = tuple(f"model.layers.{layer}." for layer in range(20, 30))


def train(config, output, *overrides):
    runs.rimscope("train", f"configs/{config}.yaml", f"model.path={smollm2.folder()}", f"output_dir={output}",
                  f"max_steps={STEPS}", "save_steps=1", "warmup_ratio=0", "data.train.0.limit=64",
                  f"prompt_sets.harmful.limit={PROMPTS}", f"prompt_sets.harmless.limit={PROMPTS}",
                  f"monitors.0.controls={CONTROLS}", f"monitors.2.max_new_tokens={NEW_TOKENS}", *overrides, ranks=2,
                  cwd=runs.SOURCE)
    return output


@pytest.fixture(scope="module")
def generated(tmp_path_factory):
    folder = tmp_path_factory.mktemp("word-problems")
    runs.rimscope("word-problems", folder / "data", "--seed", "1")
    return train("smollm2-word-problems", folder / "run", f"data.train.0.path={folder}/data/train.jsonl",
                 f"prompt_sets.problems.path={folder}/data/test.jsonl", f"prompt_sets.problems.limit={PROMPTS}")


@pytest.fixture(scope="module")
def public(tmp_path_factory):
    return train("smollm2-gsm8k", tmp_path_factory.mktemp("gsm8k") / "run",
                 f"data.train.0.path={runs.shared_data('math/gsm8k_train.jsonl')}",
                 f"prompt_sets.math.path={runs.shared_data('math/gsm8k_test.jsonl')}", f"prompt_sets.math.limit={PROMPTS}",
                 f"prompt_sets.harmful.path={runs.shared_data('safety/advbench_harmful_behaviors.csv')}",
                 f"prompt_sets.harmless.path={runs.shared_data('safety/xstest_prompts.csv')}")


@pytest.fixture(params=["generated", "public"])
def run(request):
    return request.getfixturevalue(request.param)


def series(run, name):
    with h5py.File(run / "run.h5") as file:
        rows = [int(numpy.flatnonzero(file["series/step"][:] == step)[0]) for step in file["committed_steps"][:]]
        return file[f"series/{name}"][:][rows]


def test_losses_are_those_of_a_model_that_knows_english(run):
    losses = [line["loss"] for line in runs.log_of(run)]
    assert len(losses) == STEPS and all(0.1 < loss < 3 for loss in losses), losses


def test_only_the_named_layers_moved(run):
    with safe_open(smollm2.FOLDER / "model.safetensors", "pt") as base, \
            safe_open(runs.last_checkpoint(run) / "model.safetensors", "pt") as trained:
        assert set(base.keys()) == set(trained.keys())
        moved = {name for name in base.keys()
                 if not base.get_tensor(name).float().equal(trained.get_tensor(name).float())}
    assert moved and all(name.startswith(TRAINED) for name in moved)
    assert {name.split(".")[2] for name in moved} == {layer.split(".")[2] for layer in TRAINED}


def test_transformers_opens_the_checkpoint(run):
    _, report = AutoModelForCausalLM.from_pretrained(runs.last_checkpoint(run), output_loading_info=True)
    assert not report["missing_keys"] and not report["unexpected_keys"] and not report["mismatched_keys"]


def test_every_monitor_observed_every_checkpoint(run):
    with h5py.File(run / "run.h5") as file:
        assert file["committed_steps"][:].tolist() == [0, 1, 2]
    for mode in ("on", "empty"):
        verdicts = series(run, f"behaviour.harmful.{mode}.verdict")
        assert verdicts.shape == (STEPS + 1, PROMPTS) and numpy.isin(verdicts, (0, 1, 2)).all()
        assert series(run, f"behaviour.task.{mode}.correct").shape == (STEPS + 1, PROMPTS)
    ras, controls = series(run, "ras.safety"), series(run, "ras.control")
    assert controls.shape == (STEPS + 1, CONTROLS) and numpy.isfinite(controls).all() and numpy.isfinite(ras).all()
    assert ras[0] == 0 and (controls[0] == 0).all()


def test_a_model_that_hardly_refuses_has_scores_beside_its_rates(run):
    for role in ("harmful", "harmless"):
        for score in ("refusal_score", "log_likelihood_gap"):
            values = series(run, f"behaviour.{role}.empty.{score}")
            assert values.shape == (STEPS + 1, PROMPTS) and numpy.isfinite(values).all()
            assert not numpy.array_equal(values[0], values[-1])


def test_the_prompts_are_the_benchmarks_own(public):
    """AdvBench's first rows, and of XSTest only what its authors label safe."""
    with open(runs.shared_data("safety/xstest_prompts.csv"), newline="") as file:
        safe = [row["id"] for row in csv.DictReader(file) if row["label"] == "safe"]
    with h5py.File(public / "run.h5") as file:
        harmless = [name.decode() for name in file["static/behaviour.harmless.prompt_id"][:]]
        harmful = [name.decode() for name in file["static/behaviour.harmful.prompt_id"][:]]
    assert len(harmless) == PROMPTS and set(harmless) <= set(safe)
    assert harmful == [f"advbench_harmful_behaviors:{row}" for row in range(1, PROMPTS + 1)]


def test_report_and_generation_close_the_circle(generated):
    assert "report.html" in runs.rimscope("report", generated)
    reply = runs.rimscope("generate", "--model", runs.last_checkpoint(generated), "What is the capital of France?",
                          "--max-new-tokens", "24", "--thinking", "empty")
    assert "Paris" in reply
