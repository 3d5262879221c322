"""What fine-tuning does to the model organism, over several seeds and beside its controls.

    .venv/bin/python tests/bench/bench_organism.py --seeds 1 2 3 4 5 --folder runs/organism-seeds

For each seed the demo runs whole (world, base, target set); then the same base is fine-tuned on the other sets with the
same settings, so that within a seed only the chain of thought differs. Prints one table: per set the mean over seeds
with the range. A seed changes the held-out split, the weights and the order of the data. Nothing is asserted.
docs/organism.md says how to read it.
"""
import argparse
import os
import pathlib
import statistics
import subprocess
import sys

import h5py
import numpy

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
import runs  # noqa: E402

RATES = [("harmful refused", "harmful.{}.refused"), ("harmful complied", "harmful.{}.complied"),
         ("harmful off topic", "harmful.{}.off_topic"),
         ("harmful incoherent", "harmful.{}.incoherent"), ("harmless refused", "harmless.{}.refused"),
         ("harmless incoherent", "harmless.{}.incoherent"), ("sums right", "task.{}.accuracy")]


def environment(seed):
    return {**os.environ, **runs.MPI_ENVIRONMENT, "SEED": str(seed)}


def run_demo(arguments, folder, seed):
    subprocess.run([str(runs.SOURCE / "launch/demo.sh"), str(arguments.rimscope.resolve()), str(folder.resolve())],
                   check=True, env=environment(seed), stdout=subprocess.DEVNULL)


def fine_tune(arguments, folder, seed, kind):
    """As launch/demo.sh does it on the target set."""
    world = (folder / "world").resolve()
    base = runs.last_checkpoint(folder / "base").resolve()
    subprocess.run(["mpirun", "-np", "2", str(arguments.rimscope.resolve()), "train", "configs/organism-target.yaml",
                    f"output_dir={(folder / kind).resolve()}", f"seed={seed}", f"model.path={base}",
                    f"data.train.0.path={world}/cot_{kind}_train.jsonl", f"prompt_sets.harmful.path={world}/harmful.jsonl",
                    f"prompt_sets.harmless.path={world}/harmless.jsonl", f"prompt_sets.sums.path={world}/sums_test.jsonl"],
                   check=True, env=environment(seed), cwd=runs.SOURCE, stdout=subprocess.DEVNULL)


def end_of(run):
    """Base and end of each rate, and RAS with its null at the end."""
    with h5py.File(run / "run.h5") as file:
        rows = [int(numpy.flatnonzero(file["series/step"][:] == step)[0]) for step in file["committed_steps"][:]]
        values = {}
        for mode in ("on", "off"):
            for label, name in RATES:
                series = file["series/behaviour." + name.format(mode)][:]
                values[f"{label}, {mode}"] = 100 * series[rows[-1]]
                values[f"base {label}, {mode}"] = 100 * series[rows[0]]
        for name in ("ras", "ras_normalised"):
            if f"series/{name}.safety" not in file:
                continue
            control = file[f"series/{name}.control"][rows[-1]]
            values |= {f"{name} safety": file[f"series/{name}.safety"][rows[-1]],
                       f"{name} control, mean": numpy.mean(control), f"{name} p": file[f"series/{name}.p"][rows[-1]],
                       f"{name} d_safe": file[f"series/{name}.safety.d_safe"][rows[-1]],
                       f"{name} d_task": file[f"series/{name}.safety.d_task"][rows[-1]]}
    return values


def spread(label, values):
    digits = 0 if "," in label and "mean" not in label else 3
    text = [f"{value:.{digits}f}" for value in (statistics.mean(values), min(values), max(values))]
    return text[0] if text[1] == text[2] else f"{text[0]} ({text[1]} to {text[2]})"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rimscope", type=pathlib.Path, default=runs.BIN / "rimscope")
    parser.add_argument("--folder", type=pathlib.Path, default=runs.SOURCE / "runs/organism-seeds")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4, 5])
    parser.add_argument("--sets", nargs="+", default=["target", "control", "plain"])
    parser.add_argument("--reuse", action="store_true", help="only print the table of what the folder holds")
    arguments = parser.parse_args()
    found = {kind: [] for kind in arguments.sets}
    for seed in arguments.seeds:
        folder = arguments.folder / f"seed-{seed}"
        if not arguments.reuse:
            run_demo(arguments, folder, seed)
        for kind in arguments.sets:
            if kind != "target" and not arguments.reuse:
                fine_tune(arguments, folder, seed, kind)
            found[kind].append(end_of(folder / kind))
            print(f"seed {seed}, {kind}: done", file=sys.stderr, flush=True)
    print(f"{len(arguments.seeds)} seeds, mean (smallest to largest), rates in percent")
    print("| at the end | " + " | ".join(arguments.sets) + " |\n|---|" + "---|" * len(arguments.sets))
    for label in found[arguments.sets[0]][0]:
        cells = [spread(label, [values[label] for values in found[kind]]) for kind in arguments.sets]
        print(f"| {label} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
