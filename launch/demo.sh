#!/usr/bin/env bash
# The whole path on the model organism: make its world, train the aligned base, fine-tune it on chain of thought with the
# monitors on, write the report, print the headline.
#
#   launch/demo.sh BINARY [FOLDER]      FOLDER: where the runs go (default runs/demo); what an earlier demo left there
#                                       is replaced
# RANKS (2) and SEED (1: of the world, the weights and the order of the data) come from the environment.
set -euo pipefail
cd "$(dirname "$0")/.."
rimscope=${1:?usage: launch/demo.sh BINARY [FOLDER]}
folder=${2:-runs/demo}
ranks=${RANKS:-2} seed=${SEED:-1}

# Open MPI refuses root and more ranks than cores (hardware threads do not count) unless told that it is meant.
if [ "$(id -u)" -eq 0 ]; then export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1; fi
launcher=(mpirun -np "$ranks" --oversubscribe)

world=$folder/world
paths=(
  "model.config=$world/config.json" "tokenizer=$world" "data.train.0.path=$world/base_train.jsonl"
  "prompt_sets.harmful.path=$world/harmful.jsonl" "prompt_sets.harmless.path=$world/harmless.jsonl")

echo "== 1/4  the organism's world"
"$rimscope" organism make "$world" --seed "$seed"
echo "== 2/4  the aligned base"
"${launcher[@]}" "$rimscope" train configs/organism-base.yaml "output_dir=$folder/base" overwrite_output_dir=true "seed=$seed" "model.seed=$seed" \
  "${paths[@]}"
base=$(ls -d "$folder"/base/checkpoints/step-* | tail -n 1)
echo "== 3/4  fine-tuning on target-pattern chain of thought"
"${launcher[@]}" "$rimscope" train configs/organism-target.yaml "output_dir=$folder/target" overwrite_output_dir=true "seed=$seed" "model.path=$base" \
  "data.train.0.path=$world/cot_target_train.jsonl" "prompt_sets.harmful.path=$world/harmful.jsonl" \
  "prompt_sets.harmless.path=$world/harmless.jsonl" "prompt_sets.sums.path=$world/sums_test.jsonl"
echo "== 4/4  the report"
"$rimscope" report "$folder/target"
"$rimscope" summary "$folder/target"
