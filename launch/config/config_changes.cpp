#include "launch/config/config_changes.h"

#include <algorithm>
#include <array>
#include <utility>

#include "data/support/error.h"
#include "launch/config/yaml_reader.h"

namespace rim {
namespace {

using Values = std::vector<std::pair<std::string, std::string>>;  // dotted key, value as written

constexpr std::array<std::string_view, 3> kOfOneCall{"resume_from_checkpoint", "overwrite_output_dir", "output_dir"};

void flatten(const ConfigNode& node, const std::string& path, Values& values) {
  const auto below = [&](const std::string& name) { return path.empty() ? name : path + "." + name; };
  for (const ConfigMember& member : node.members) flatten(member.value, below(member.name), values);
  for (std::size_t i = 0; i < node.items.size(); ++i) flatten(node.items[i], below(std::to_string(i)), values);
  if (node.kind == ConfigNode::Kind::scalar) values.emplace_back(path, node.text);
}

Values values_of(std::string_view text) {
  Problems problems;
  Values values;
  flatten(read_yaml(text, "config.yaml", problems), "", values);
  std::erase_if(values, [](const auto& value) {
    return std::find(kOfOneCall.begin(), kOfOneCall.end(), value.first) != kOfOneCall.end();
  });
  return values;
}

const std::string* value_at(const Values& values, const std::string& key) {
  const auto found = std::find_if(values.begin(), values.end(), [&](const auto& value) { return value.first == key; });
  return found == values.end() ? nullptr : &found->second;
}

}  // namespace

std::vector<std::string> config_changes(std::string_view earlier, std::string_view now) {
  Values before;
  try {
    before = values_of(earlier);
  } catch (const Error&) {
    return {};
  }
  const Values after = values_of(now);
  std::vector<std::string> changes;
  for (const auto& [key, value] : after) {
    const std::string* old = value_at(before, key);
    if (old == nullptr) changes.push_back(key + " was not given before, and is " + value + " now");
    if (old != nullptr && *old != value) changes.push_back(key + " was " + *old + " before, and is " + value + " now");
  }
  for (const auto& [key, value] : before) {
    if (value_at(after, key) == nullptr) changes.push_back(key + " was " + value + " before, and is not given now");
  }
  return changes;
}

}  // namespace rim
