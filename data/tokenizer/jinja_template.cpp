#include "data/tokenizer/jinja_template.h"

#include <algorithm>
#include <utility>

namespace rim {
namespace {

using Node = JinjaTemplate::Node;
using Nodes = std::vector<Node>;
using Rendering = JinjaTemplate::Rendering;
using Flow = Rendering::Flow;

void run(const Nodes& nodes, Rendering& rendering) {
  for (const Node& node : nodes) {
    rendering.scopes.count_step();
    node(rendering);
    if (rendering.flow != Flow::on) return;
  }
}

void write(Rendering& rendering, const std::string& text) {
  constexpr std::size_t kLongest = std::size_t{1} << 20;
  if (rendering.text.size() + text.size() > kLongest) throw JinjaError("it writes too much");
  rendering.text += text;
}

Json loop_variable(const Json& items, std::size_t index) {
  Json loop = {{"index0", index},
               {"index", index + 1},
               {"first", index == 0},
               {"last", index + 1 == items.size()},
               {"length", items.size()},
               {"revindex", items.size() - index},
               {"revindex0", items.size() - index - 1}};
  if (index > 0) loop["previtem"] = items[index - 1];
  if (index + 1 < items.size()) loop["nextitem"] = items[index + 1];
  return loop;
}

struct Loop {
  std::vector<std::string> names;
  JinjaExpression items;
  JinjaExpression condition;  // empty: none
  Nodes body;
  Nodes otherwise;
};

void bind(JinjaScopes& scopes, const std::vector<std::string>& names, const Json& item) {
  if (names.size() == 1) return scopes.set(names[0], item);
  if (!item.is_array() || item.size() != names.size()) throw JinjaError("a loop over tuples of another length");
  for (std::size_t i = 0; i < names.size(); ++i) scopes.set(names[i], item[i]);
}

Json chosen_items(const Loop& loop, JinjaScopes& scopes) {
  Json all = loop.items(scopes);
  if (all.is_discarded()) return Json::array();
  if (!all.is_array()) throw JinjaError("a loop over something else than a list");
  if (!loop.condition) return all;
  Json chosen = Json::array();
  scopes.open();
  for (const Json& item : all) {
    bind(scopes, loop.names, item);
    if (jinja_truth(loop.condition(scopes))) chosen.push_back(item);
  }
  scopes.close();
  return chosen;
}

void run_loop(const Loop& loop, Rendering& rendering) {
  const Json items = chosen_items(loop, rendering.scopes);
  if (items.empty()) return run(loop.otherwise, rendering);
  for (std::size_t i = 0; i < items.size() && rendering.flow != Flow::stop; ++i) {
    rendering.flow = Flow::on;
    rendering.scopes.open();
    bind(rendering.scopes, loop.names, items[i]);
    rendering.scopes.set("loop", loop_variable(items, i));
    run(loop.body, rendering);
    rendering.scopes.close();
  }
  rendering.flow = Flow::on;
}

class Builder {
 public:
  explicit Builder(std::vector<JinjaChunk> chunks) : chunks_(std::move(chunks)) {}

  Nodes whole() {
    Nodes nodes = body({});
    if (at_ < chunks_.size()) throw JinjaError("'" + statement() + "' ends nothing");
    return nodes;
  }

 private:
  // The keyword of the statement at at_; empty for text and output.
  [[nodiscard]] std::string statement() const {
    const JinjaChunk& chunk = chunks_[at_];
    return chunk.kind == JinjaChunk::Kind::statement ? chunk.tokens.front().text : "";
  }

  // Nodes up to a statement that is one of `ends`, which is not passed, or to the end of the template.
  Nodes body(const std::vector<std::string_view>& ends) {
    if (++depth_ > 100) throw JinjaError("nested too deeply");
    Nodes nodes;
    while (at_ < chunks_.size()) {
      const std::string keyword = statement();
      const bool ends_here = std::ranges::find(ends, keyword) != ends.end() && !keyword.empty();
      if (ends_here || (ends.empty() && (keyword.starts_with("end") || keyword.starts_with("el")))) break;
      nodes.push_back(node());
    }
    if (at_ == chunks_.size() && !ends.empty()) throw JinjaError("'" + std::string(ends.back()) + "' is missing");
    --depth_;
    return nodes;
  }

  void pass(std::string_view keyword) {
    if (statement() != keyword) throw JinjaError("'" + std::string(keyword) + "' is wanted, not '" + statement() + "'");
    ++at_;
  }

  Node node() {
    const JinjaChunk& chunk = chunks_[at_++];
    if (chunk.kind == JinjaChunk::Kind::text) {
      return [text = chunk.text](Rendering& rendering) { write(rendering, text); };
    }
    JinjaParser parser(chunk.tokens);
    if (chunk.kind == JinjaChunk::Kind::output) {
      const JinjaExpression value = parser.expression();
      parser.expect_end();
      return [value](Rendering& rendering) { write(rendering, jinja_printed(value(rendering.scopes))); };
    }
    const std::string keyword = parser.expect_name();
    if (keyword == "if") return choice(parser);
    if (keyword == "for") return loop(parser);
    if (keyword == "set") return assignment(parser);
    if (keyword == "macro") return macro();
    if (keyword == "generation") return transparent();
    if (keyword == "break") return [](Rendering& rendering) { rendering.flow = Flow::stop; };
    if (keyword == "continue") return [](Rendering& rendering) { rendering.flow = Flow::next; };
    throw JinjaError("the statement '" + keyword + "' is not supported");
  }

  Node choice(JinjaParser& parser) {
    std::vector<std::pair<JinjaExpression, Nodes>> branches;
    JinjaExpression condition = parser.expression();
    parser.expect_end();
    for (;;) {
      branches.emplace_back(condition, body({"elif", "else", "endif"}));
      if (statement() != "elif") break;
      JinjaParser next(chunks_[at_++].tokens);
      next.take();
      condition = next.expression();
      next.expect_end();
    }
    Nodes otherwise;
    if (statement() == "else") {
      ++at_;
      otherwise = body({"endif"});
    }
    pass("endif");
    return [branches, otherwise](Rendering& rendering) {
      for (const auto& [asked, nodes] : branches) {
        if (jinja_truth(asked(rendering.scopes))) return run(nodes, rendering);
      }
      run(otherwise, rendering);
    };
  }

  Node loop(JinjaParser& parser) {
    Loop loop;
    loop.names.push_back(parser.expect_name());
    while (parser.skip_sign(",")) loop.names.push_back(parser.expect_name());
    if (!parser.skip_name("in")) throw JinjaError("'in' is wanted in a loop");
    loop.items = parser.expression_without_choice();
    if (parser.skip_name("if")) loop.condition = parser.expression();
    parser.expect_end();
    loop.body = body({"else", "endfor"});
    if (statement() == "else") {
      ++at_;
      loop.otherwise = body({"endfor"});
    }
    pass("endfor");
    return [loop](Rendering& rendering) { run_loop(loop, rendering); };
  }

  Node assignment(JinjaParser& parser) {
    const std::string name = parser.expect_name();
    const std::string member = parser.skip_sign(".") ? parser.expect_name() : "";
    if (!parser.skip_sign("=")) return block_assignment(parser, name, member);
    const JinjaExpression value = parser.expression();
    parser.expect_end();
    if (member.empty()) {
      return [name, value](Rendering& rendering) { rendering.scopes.set(name, value(rendering.scopes)); };
    }
    return [name, member, value](Rendering& rendering) {
      Json result = value(rendering.scopes);
      Json* object = rendering.scopes.find(name);
      if (object == nullptr || !object->is_object()) throw JinjaError("'" + name + "' is no namespace");
      rendering.scopes.count_value(result);
      (*object)[member] = std::move(result);
    };
  }

  Node block_assignment(const JinjaParser& parser, const std::string& name, const std::string& member) {
    parser.expect_end();
    if (!member.empty()) throw JinjaError("such a 'set' is not supported");
    const Nodes nodes = body({"endset"});
    pass("endset");
    return [name, nodes](Rendering& rendering) {
      std::string outside = std::exchange(rendering.text, "");
      rendering.scopes.open();
      run(nodes, rendering);
      rendering.scopes.close();
      rendering.scopes.set(name, std::exchange(rendering.text, std::move(outside)));
    };
  }

  // Only tools' descriptions use macros in the families known here: they are read and never called.
  Node macro() {
    body({"endmacro"});
    pass("endmacro");
    return [](Rendering&) {};
  }

  Node transparent() {
    const Nodes nodes = body({"endgeneration"});
    pass("endgeneration");
    return [nodes](Rendering& rendering) { run(nodes, rendering); };
  }

  std::vector<JinjaChunk> chunks_;
  std::size_t at_ = 0;
  int depth_ = 0;
};

}  // namespace

JinjaTemplate::JinjaTemplate(std::string_view source) {
  constexpr std::size_t kLongest = std::size_t{1} << 18;
  if (source.size() > kLongest) throw JinjaError("longer than 256 KiB");
  nodes_ = Builder(cut_jinja(source)).whole();
}

std::string JinjaTemplate::render(const Json& variables) const {
  Rendering rendering{JinjaScopes(variables), "", Flow::on};
  run(nodes_, rendering);
  return std::move(rendering.text);
}

}  // namespace rim
