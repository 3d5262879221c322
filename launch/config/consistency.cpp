#include "launch/config/consistency.h"

#include <string>

#include "launch/config/scalars.h"

namespace rim {
namespace {

// The node where the key was given something, else null.
const ConfigNode* given(const ConfigNode& root, const std::string& path) {
  const ConfigNode* node = find_node(root, path);
  return node == nullptr || node->kind == ConfigNode::Kind::empty ? nullptr : node;
}

void refuse_both(const ConfigNode& root, const std::string& first, const std::string& second, Problems& problems) {
  const ConfigNode* later = given(root, second);
  if (given(root, first) == nullptr || later == nullptr) return;
  problems.add(later->place, "'" + first + "' and '" + second + "' are both given: choose one");
}

void require_one(const ConfigNode& root, const std::string& first, const std::string& second, Problems& problems) {
  if (given(root, first) == nullptr && given(root, second) == nullptr) {
    problems.add(root.place, "one of '" + first + "' and '" + second + "' is needed");
  }
}

void check_model(const ConfigNode& root, Problems& problems) {
  refuse_both(root, "model.path", "model.config", problems);
  if (given(root, "model") != nullptr) require_one(root, "model.path", "model.config", problems);
  if (given(root, "model.path") == nullptr) return;
  for (const std::string name : {"model.init", "model.seed"}) {
    if (const ConfigNode* node = given(root, name)) {
      problems.add(node->place, "'" + name + "' goes with 'model.config'; 'model.path' brings its weights");
    }
  }
}

void check_warmup(const ConfigNode& root, Problems& problems) {
  const ConfigNode* ratio = given(root, "warmup_ratio");
  const ConfigNode* steps = given(root, "warmup_steps");
  if (ratio == nullptr || steps == nullptr) return;
  const bool both = as_number(*ratio).value_or(0) > 0 && as_integer(*steps).value_or(0) > 0;
  if (both) problems.add(steps->place, "'warmup_ratio' and 'warmup_steps' are both given: choose one");
}

// A checkpoint of another folder may start a run that replaces the one in this folder.
void check_resume(const ConfigNode& root, Problems& problems) {
  const ConfigNode* overwrite = given(root, "overwrite_output_dir");
  if (overwrite == nullptr || !as_boolean(*overwrite).value_or(false)) return;
  const ConfigNode* resume = given(root, "resume_from_checkpoint");
  if (resume == nullptr || resume->text != "auto") return;
  refuse_both(root, "resume_from_checkpoint", "overwrite_output_dir", problems);
}

void check_prompt_sets(const ConfigNode& root, Problems& problems) {
  const ConfigNode* sets = given(root, "prompt_sets");
  if (sets == nullptr) return;
  for (const ConfigMember& set : sets->members) {
    const ConfigNode* field = given(set.value, "field");
    const ConfigNode* format = given(set.value, "format");
    if (field == nullptr || format == nullptr || format->text == "field") continue;
    problems.add(field->place,
                 "'prompt_sets." + set.name + ".field' says nothing where 'format' is '" + format->text + "'");
  }
}

}  // namespace

void check_consistency(const ConfigNode& root, Problems& problems) {
  check_model(root, problems);
  refuse_both(root, "max_steps", "num_train_epochs", problems);
  require_one(root, "max_steps", "num_train_epochs", problems);
  check_warmup(root, problems);
  check_resume(root, problems);
  check_prompt_sets(root, problems);
}

}  // namespace rim
