#include "trainer/model/rope_config.h"

#include <cmath>
#include <set>

#include "data/support/error.h"

namespace rim {
namespace {

// The key whose object describes rotation. transformers lets rope_scaling win over rope_parameters.
std::optional<std::string> rope_key(const Json& config, const std::string& origin) {
  for (const char* key : {"rope_scaling", "rope_parameters"}) {
    const auto found = config.find(key);
    if (found == config.end() || found->is_null() || (found->is_object() && found->empty())) continue;
    if (!found->is_object()) refuse_data(origin, std::string("'") + key + "' must be an object");
    return key;
  }
  return std::nullopt;
}

void refuse_unknown_keys(const Json& rope, const std::string& origin) {
  static const std::set<std::string> known = {"rope_type",
                                              "type",
                                              "rope_theta",
                                              "factor",
                                              "low_freq_factor",
                                              "high_freq_factor",
                                              "partial_rotary_factor",
                                              "original_max_position_embeddings"};
  for (const auto& [key, value] : rope.items()) {
    if (!known.contains(key) && !value.is_null()) {
      refuse_data(origin, "\'" + key + "': " + value.dump() + " is not supported");
    }
  }
  if (json_number_or(rope, "partial_rotary_factor", 1.0, origin) != 1.0) {
    refuse_data(origin, "'partial_rotary_factor': " + rope["partial_rotary_factor"].dump() + " is not supported");
  }
}

double positive(const Json& rope, const char* key, const std::string& origin) {
  const double value = json_number(rope, key, origin);
  if (!(value > 0) || !std::isfinite(value)) refuse_data(origin, std::string("'") + key + "' must be positive");
  return value;
}

// As in transformers, the inner key wins, and null is no value to compute with, where an absent key is the default.
double read_theta(const Json& rope, const Json& config, const std::string& place) {
  const Json& holder = rope.contains("rope_theta") ? rope : config;
  if (!holder.contains("rope_theta")) return 10000.0;
  if (holder.at("rope_theta").is_null()) refuse_data(place, "'rope_theta' is null, must be a number");
  return positive(holder, "rope_theta", place);
}

LlamaRopeScaling read_llama_scaling(const Json& rope, std::int64_t max_position_embeddings, const std::string& origin) {
  LlamaRopeScaling scaling;
  scaling.factor = positive(rope, "factor", origin);
  scaling.low_frequency_factor = positive(rope, "low_freq_factor", origin);
  scaling.high_frequency_factor = positive(rope, "high_freq_factor", origin);
  scaling.original_max_position_embeddings =
      json_integer_or(rope, "original_max_position_embeddings", max_position_embeddings, origin);
  if (scaling.high_frequency_factor <= scaling.low_frequency_factor) {
    refuse_data(origin, "'high_freq_factor' must be larger than 'low_freq_factor'");
  }
  if (scaling.original_max_position_embeddings <= 0) {
    refuse_data(origin, "'original_max_position_embeddings' must be positive");
  }
  return scaling;
}

}  // namespace

RopeConfig read_rope_config(const Json& config, std::int64_t max_position_embeddings, const std::string& origin) {
  const std::optional<std::string> key = rope_key(config, origin);
  const Json rope = key ? config.at(*key) : Json::object();
  const std::string place = key ? origin + ": '" + *key + "'" : origin;
  refuse_unknown_keys(rope, place);
  RopeConfig result;
  result.theta = read_theta(rope, config, place);
  const std::string type = json_string_or(rope, "rope_type", json_string_or(rope, "type", "default", place), place);
  if (type == "llama3") {
    result.scaling = read_llama_scaling(rope, max_position_embeddings, place);
  } else if (type != "default") {
    refuse_data(place, "'rope_type': \"" + type + "\" is not supported (supported: default, llama3)");
  }
  return result;
}

}  // namespace rim
