#include "launch/config/config_node.h"

#include <algorithm>
#include <charconv>

namespace rim {

std::string to_string(const Place& place) {
  if (place.line == 0) return place.source;
  return place.source + ":" + std::to_string(place.line) + ":" + std::to_string(place.column);
}

ConfigNode* ConfigNode::member(std::string_view name) {
  const auto found =
      std::find_if(members.begin(), members.end(), [&](const auto& entry) { return entry.name == name; });
  return found == members.end() ? nullptr : &found->value;
}

const ConfigNode* ConfigNode::member(std::string_view name) const {
  return const_cast<ConfigNode*>(this)->member(name);  // the search itself changes nothing
}

const ConfigNode* find_node(const ConfigNode& root, std::string_view dotted_path) {
  const ConfigNode* node = &root;
  for (const std::string& part : split_dotted(dotted_path)) {
    const int position = list_position(part);
    if (node->kind == ConfigNode::Kind::list && position >= 0) {
      if (static_cast<std::size_t>(position) >= node->items.size()) return nullptr;
      node = &node->items[static_cast<std::size_t>(position)];
    } else {
      node = node->member(part);
    }
    if (node == nullptr) return nullptr;
  }
  return node;
}

std::vector<std::string> split_dotted(std::string_view dotted_path) {
  std::vector<std::string> parts;
  while (true) {
    const std::size_t dot = dotted_path.find('.');
    parts.emplace_back(dotted_path.substr(0, dot));
    if (dot == std::string_view::npos) return parts;
    dotted_path.remove_prefix(dot + 1);
  }
}

int list_position(std::string_view text) {
  int value = -1;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  return failure == std::errc() && end == text.data() + text.size() && value >= 0 ? value : -1;
}

}  // namespace rim
