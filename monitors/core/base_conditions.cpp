#include "monitors/core/base_conditions.h"

#include <ATen/ops/empty.h>

#include <cstring>
#include <string_view>

#include "data/support/error.h"
#include "data/support/json.h"

namespace rim {

at::Tensor pack_conditions(const BaseConditions& conditions) {
  const std::string text = Json(conditions).dump(-1, ' ', false, Json::error_handler_t::replace);
  at::Tensor packed = at::empty({std::ssize(text)}, at::TensorOptions().dtype(at::kByte));
  std::memcpy(packed.mutable_data_ptr(), text.data(), text.size());
  return packed;
}

void require_same_conditions(const at::Tensor& packed, const BaseConditions& now) {
  const std::string origin = "the checkpoint's monitor state";
  if (packed.scalar_type() != at::kByte) throw Error(ExitCode::bad_data, origin + " does not say what it was made of");
  const at::Tensor bytes = packed.cpu().contiguous();
  const Json before = parse_json({static_cast<const char*>(bytes.const_data_ptr()), bytes.nbytes()}, origin);
  for (const auto& [name, value] : now) {
    const std::string earlier = json_string_or(before, name, value, origin);
    if (earlier == value) continue;
    throw Error(ExitCode::config, name + " was '" + earlier + "' when the run began, and is '" + value +
                                      "' now: what is measured from here on could not be compared with the base "
                                      "model; resume with what the run began with, or start a new run");
  }
}

void require_known(const TensorMap& state, const std::string& monitor) {
  if (!state.empty()) return;
  throw Error(ExitCode::config, "monitor " + monitor +
                                    ": the checkpoint does not know it: a run must have this monitor from its first "
                                    "step on; take it out, or start a new run");
}

}  // namespace rim
