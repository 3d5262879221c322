#include "launch/config/yaml_reader.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <sstream>
#include <vector>

#include "data/support/error.h"
#include "data/support/json.h"

namespace rim {
namespace {

constexpr std::size_t kMaximumDepth = 32;

class TreeBuilder : public YAML::EventHandler {
 public:
  TreeBuilder(Place base, Problems& problems) : base_(std::move(base)), problems_(problems) {}
  [[nodiscard]] ConfigNode take_root() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override { add(make(mark, "", anchor)); }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    ConfigNode node;
    node.place = place(mark);
    refuse(node, "aliases (*name) are not supported; text that starts with * needs quotes");
    add(std::move(node));
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    ConfigNode node = make(mark, tag, anchor);
    // No path can hold one, and the system would read up to it.
    if (value.find('\0') != std::string::npos) refuse(node, "a text must not hold a zero byte");
    if (node.kind != ConfigNode::Kind::refused) node.kind = ConfigNode::Kind::scalar;
    node.text = value;
    node.quoted = tag == "!";
    add(std::move(node));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(make(mark, tag, anchor), ConfigNode::Kind::list);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(make(mark, tag, anchor), ConfigNode::Kind::section);
  }
  void OnMapEnd() override { close(); }

 private:
  // A collection being filled; `is_map` outlives a refused node's kind.
  struct Frame {
    ConfigNode node;
    bool is_map = false;
    bool key_pending = false;
    ConfigMember next;
  };

  [[nodiscard]] Place place(const YAML::Mark& mark) const {
    if (base_.line == 0) return base_;
    return {base_.source, mark.line + 1, mark.column + 1};
  }

  void refuse(ConfigNode& node, const std::string& message) {
    problems_.add(node.place, message);
    node.kind = ConfigNode::Kind::refused;
  }

  ConfigNode make(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    ConfigNode node;
    node.place = place(mark);
    if (anchor != 0) refuse(node, "anchors (&name) are not supported: write the value out where it is used");
    if (!tag.empty() && tag != "?" && tag != "!") refuse(node, "tags such as '" + tag + "' are not supported");
    return node;
  }

  void open(ConfigNode node, ConfigNode::Kind kind) {
    if (stack_.size() >= kMaximumDepth) {
      throw Error(ExitCode::config, to_string(node.place) + ": nested deeper than 32 levels");
    }
    if (node.kind != ConfigNode::Kind::refused) node.kind = kind;
    stack_.push_back({std::move(node), kind == ConfigNode::Kind::section, false, {}});
  }

  void close() {
    Frame frame = std::move(stack_.back());
    stack_.pop_back();
    add(std::move(frame.node));
  }

  void add(ConfigNode node) {
    if (stack_.empty()) {
      root_ = std::move(node);
      return;
    }
    Frame& frame = stack_.back();
    if (!frame.is_map) {
      frame.node.items.push_back(std::move(node));
    } else if (frame.key_pending) {
      finish_member(frame, std::move(node));
    } else {
      start_member(frame, node);
    }
  }

  void start_member(Frame& frame, const ConfigNode& key) {
    if (key.kind != ConfigNode::Kind::scalar && key.kind != ConfigNode::Kind::refused) {
      problems_.add(key.place, "a key must be plain text");
    } else if (key.kind == ConfigNode::Kind::scalar && key.text.empty()) {
      problems_.add(key.place, "a key must not be empty");
    }
    frame.next = {key.kind == ConfigNode::Kind::scalar ? key.text : "", key.place, {}};
    frame.key_pending = true;
  }

  void finish_member(Frame& frame, ConfigNode value) {
    frame.key_pending = false;
    ConfigMember member = std::move(frame.next);
    if (member.name.empty()) return;
    if (member.name == "<<") {
      problems_.add(member.place, "merge keys (<<) are not supported: write the values out");
      return;
    }
    for (const ConfigMember& earlier : frame.node.members) {
      if (earlier.name != member.name) continue;
      problems_.add(member.place, "'" + member.name + "' is given twice; the first is at " + to_string(earlier.place));
      return;
    }
    member.value = std::move(value);
    frame.node.members.push_back(std::move(member));
  }

  Place base_;
  Problems& problems_;
  std::vector<Frame> stack_;
  ConfigNode root_;
};

void require_utf8(std::string_view text, const Place& place) {
  try {
    (void)Json(std::string(text)).dump();
  } catch (const Json::exception&) {
    throw Error(ExitCode::config, place.source + ": is not UTF-8 text");
  }
}

ConfigNode read(std::string_view text, const Place& base, Problems& problems) {
  require_utf8(text, base);
  std::istringstream stream{std::string(text)};
  TreeBuilder builder(base, problems);
  try {
    YAML::Parser parser(stream);
    parser.HandleNextDocument(builder);
    ConfigNode root = builder.take_root();
    if (root.place.source.empty()) root.place = base;
    if (parser.HandleNextDocument(builder)) {
      throw Error(ExitCode::config, base.source + ": holds more than one YAML document (a second '---')");
    }
    return root;
  } catch (const YAML::Exception& error) {
    const bool in_file = base.line != 0 && error.mark.line >= 0;
    const Place place = in_file ? Place{base.source, error.mark.line + 1, error.mark.column + 1} : base;
    throw Error(ExitCode::config, to_string(place) + ": not valid YAML: " + error.msg);
  }
}

}  // namespace

ConfigNode read_yaml(std::string_view text, const std::string& source, Problems& problems) {
  return read(text, {source, 1, 1}, problems);
}

ConfigNode read_yaml_value(std::string_view text, const Place& place, Problems& problems) {
  return read(text, {place.source, 0, 0}, problems);
}

}  // namespace rim
