#include "launch/config/overrides.h"

#include "launch/config/yaml_reader.h"

namespace rim {
namespace {

ConfigNode* descend_list(ConfigNode& list, const std::string& part, const std::string& path, const Place& place,
                         Problems& problems) {
  const int position = list_position(part);
  if (position >= 0 && static_cast<std::size_t>(position) < list.items.size()) {
    return &list.items[static_cast<std::size_t>(position)];
  }
  const std::string count = std::to_string(list.items.size());
  problems.add(place, position < 0 ? "'" + path + "' is a list: '" + part + "' must be a position from 0"
                                   : "'" + path + "' has " + count + " entries, counted from 0: there is no " + part);
  return nullptr;
}

ConfigNode* descend(ConfigNode& node, const std::string& part, const std::string& path, const Place& place,
                    Problems& problems) {
  using Kind = ConfigNode::Kind;
  if (node.kind == Kind::list) return descend_list(node, part, path, place, problems);
  if (node.kind == Kind::empty) node.kind = Kind::section;
  if (node.kind != Kind::section) {
    if (node.kind != Kind::refused) problems.add(place, "'" + path + "' is a single value and has no '" + part + "'");
    return nullptr;
  }
  if (ConfigNode* found = node.member(part)) return found;
  node.members.push_back({part, place, {}});
  node.members.back().value.place = place;
  return &node.members.back().value;
}

void apply_override(ConfigNode& root, const std::string& text, Problems& problems) {
  const Place place{"command line: " + text, 0, 0};
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0) {
    problems.add(place, "is not of the form key=value");
    return;
  }
  ConfigNode* node = &root;
  std::string path;
  for (const std::string& part : split_dotted(std::string_view(text).substr(0, equals))) {
    if (part.empty()) {
      problems.add(place, "the key has an empty part");
      return;
    }
    node = descend(*node, part, path, place, problems);
    if (node == nullptr) return;
    path += (path.empty() ? "" : ".") + part;
  }
  *node = read_yaml_value(std::string_view(text).substr(equals + 1), place, problems);
}

}  // namespace

void apply_overrides(ConfigNode& root, const std::vector<std::string>& overrides, Problems& problems) {
  for (const std::string& text : overrides) apply_override(root, text, problems);
}

}  // namespace rim
