// A configuration as written: every value with the place it stands at. Between the YAML reader and the validator.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace rim {

// "file:line:column", or "command line: key=value" where line is 0.
struct Place {
  std::string source;
  int line = 0;
  int column = 0;
};
std::string to_string(const Place& place);

struct ConfigMember;

struct ConfigNode {
  enum class Kind { empty, scalar, list, section, refused };  // refused: a problem was noted; say nothing more about it
  Kind kind = Kind::empty;
  Place place;
  std::string text;                   // scalar
  bool quoted = false;                // scalar: "5" is text, 5 is a number
  std::vector<ConfigNode> items;      // list
  std::vector<ConfigMember> members;  // section, in the order written; names are unique

  // The member of that name, or null.
  [[nodiscard]] ConfigNode* member(std::string_view name);
  [[nodiscard]] const ConfigNode* member(std::string_view name) const;
};

struct ConfigMember {
  std::string name;
  Place place;  // of the key
  ConfigNode value;
};

// The node at a dotted path such as "data.train.0.path", or null.
const ConfigNode* find_node(const ConfigNode& root, std::string_view dotted_path);

std::vector<std::string> split_dotted(std::string_view dotted_path);
// Position in a list: digits only; -1 for anything else.
int list_position(std::string_view text);

}  // namespace rim
