"""Training speed beside transformers' eager loop: same model, data, batch, precision and cores, interleaved in one run.

    .venv/bin/python tests/bench/bench_training.py --rimscope build/release/bin/rimscope

Every round runs both sides once, each in a process of its own, and every other round swaps their order, so that what else
the machine does hits both. Only optimizer steps are timed: neither start-up nor checkpoints count. docs/benchmarks.md
says how to read the table. Nothing is asserted: the figures belong to the machine.
"""
import argparse
import json
import os
import pathlib
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
import runs  # noqa: E402

ROWS, LENGTH, VOCABULARY = 4, 512, 4096
WARM_UP_STEPS = 3
LEARNING_RATE, MAX_GRAD_NORM = 1e-4, 1.0
DTYPES = {"fp32": "float32", "bf16": "bfloat16"}


def write_inputs(folder, steps):
    """An 11M-parameter Qwen3 (random), a tokenizer, and texts longer than a row, so that rows are full."""
    runs.write_byte_tokenizer(folder / "tokenizer")
    runs.write_qwen3_config(folder / "model", VOCABULARY, width=384, layers=6, heads=6, key_value_heads=2,
                            intermediate=1024)
    draw = random.Random(1)
    with open(folder / "text.jsonl", "w") as file:
        for _ in range(ROWS * steps):
            text = "".join(draw.choices("abcdefghijklmnopqrstuvwxyz ", k=LENGTH + 50))
            file.write(json.dumps({"prompt": text[0], "completion": text[1:]}) + "\n")


def write_config(folder, output, precision, steps):
    return runs.write_config(pathlib.Path(output) / "bench.yaml", {
        "model": {"config": str(folder / "model/config.json"), "init": "random", "seed": 1,
                  "dtype": DTYPES[precision]},
        "tokenizer": str(folder / "tokenizer"),
        "data": {"train": [{"path": str(folder / "text.jsonl"), "format": "prompt_completion"}],
                 "max_length": LENGTH},
        "output_dir": f"{output}/run", "max_steps": steps, "per_device_train_batch_size": ROWS,
        "learning_rate": LEARNING_RATE, "lr_scheduler_type": "constant", "max_grad_norm": MAX_GRAD_NORM,
        "logging_steps": 1, "seed": 1})


def threads_of_rimscope(arguments, folder):
    """What one rank takes here: the cores it may run on, within its container's quota."""
    environment = {key: value for key, value in os.environ.items() if key != "OMP_NUM_THREADS"}
    config = write_config(folder, folder, "fp32", 1)
    table = subprocess.run([str(arguments.rimscope), "train", str(config), "--dry-run"], check=True, env=environment,
                           stdout=subprocess.PIPE, text=True).stdout
    return int(re.search(r"(\d+) threads? each", table).group(1))


def measure_rimscope(arguments, folder, precision, steps):
    """Tokens per second of the timed steps, as log.jsonl reports tokens and training seconds."""
    with tempfile.TemporaryDirectory(dir=folder) as output:
        config = write_config(folder, output, precision, steps)
        subprocess.run([str(arguments.rimscope), "train", str(config)], check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, env={**os.environ, "OMP_NUM_THREADS": str(arguments.threads)})
        log = runs.log_of(output + "/run")
    first, last = log[WARM_UP_STEPS - 1], log[-1]
    return (last["tokens"] - first["tokens"]) / (last["seconds"] - first["seconds"])


def measure_transformers(arguments, folder, precision, steps):
    command = [sys.executable, __file__, "--transformers-only", str(folder), "--precision", precision,
               "--steps", str(steps - WARM_UP_STEPS), "--threads", str(arguments.threads)]
    result = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True,
                            env={**os.environ, "OMP_NUM_THREADS": str(arguments.threads)})
    return float(result.stdout)


def run_transformers(folder, precision, steps, threads):
    """The eager loop as people write it: scaled-dot-product attention, clipping, fused AdamW, the loss read each step."""
    import torch
    from tokenizers import Tokenizer
    from transformers import AutoConfig, AutoModelForCausalLM

    torch.set_num_threads(threads)
    torch.manual_seed(1)
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer/tokenizer.json"))
    with open(folder / "text.jsonl") as file:
        rows = [json.loads(line) for line in file]
    tokens = torch.tensor([tokenizer.encode(row["prompt"] + row["completion"]).ids[:LENGTH] for row in rows])
    model = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(folder / "model"), attn_implementation="sdpa",
                                             dtype=getattr(torch, DTYPES[precision])).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE, weight_decay=0.0, fused=True)
    for step in range(steps):
        if step == WARM_UP_STEPS:
            start = time.perf_counter()
        batch = tokens[step * ROWS:(step + 1) * ROWS]
        loss = model(input_ids=batch, labels=batch, use_cache=False).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), MAX_GRAD_NORM)
        optimizer.step()
        optimizer.zero_grad()
        loss.item()
    return (steps - WARM_UP_STEPS) * ROWS * LENGTH / (time.perf_counter() - start)


def spread(values):
    return f"{statistics.median(values):,.0f} ({min(values):,.0f} to {max(values):,.0f})"


def processor():
    with open("/proc/cpuinfo") as file:
        return next((line.split(":")[1].strip() for line in file if line.startswith("model name")), "unknown processor")


def compare(arguments):
    steps = arguments.steps + WARM_UP_STEPS
    sides = {"rimscope": measure_rimscope, "transformers": measure_transformers}
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        write_inputs(folder, steps)
        arguments.threads = arguments.threads or threads_of_rimscope(arguments, folder)
        print(f"{processor()}, {arguments.threads} threads of {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the "
              "start")
        print(f"Qwen3 form, 11.0M parameters, batch {ROWS} x {LENGTH}, fused AdamW, {arguments.rounds} rounds of "
              f"{arguments.steps} timed steps")
        print("| precision | rimscope tokens/s | transformers tokens/s | ratio, median of rounds |\n|---|---|---|---|")
        for precision in arguments.precision:
            speeds = {side: [] for side in sides}
            for round_number in range(arguments.rounds):
                for side in sorted(sides, reverse=round_number % 2 == 1):
                    speeds[side].append(sides[side](arguments, folder, precision, steps))
            ratios = [ours / theirs for ours, theirs in zip(speeds["rimscope"], speeds["transformers"], strict=True)]
            print(f"| {precision} | {spread(speeds['rimscope'])} | {spread(speeds['transformers'])} | "
                  f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f}) |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rimscope", type=pathlib.Path, default=runs.BIN / "rimscope")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=8, help="timed steps a round")
    parser.add_argument("--threads", type=int, help="default: as many as rimscope takes for one rank")
    parser.add_argument("--precision", nargs="+", choices=sorted(DTYPES), default=["fp32", "bf16"])
    parser.add_argument("--transformers-only", type=pathlib.Path, metavar="FOLDER", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.transformers_only:
        print(run_transformers(arguments.transformers_only, arguments.precision[0], arguments.steps + WARM_UP_STEPS,
                               arguments.threads))
    else:
        compare(arguments)


if __name__ == "__main__":
    main()
