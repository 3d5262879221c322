// As much of Jinja as chat templates use, to find out how a model folder's own template renders: chat_template_probes
// has it render short ASCII conversations. (No C++ library for Jinja is packaged in the supported systems.)
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "data/tokenizer/jinja_expression.h"

namespace rim {

// Immutable, thread-safe.
class JinjaTemplate {
 public:
  // Throws JinjaError for what is malformed or beyond the subset: macros' calls, imports, filters and functions that
  // chat templates do not use outside of tool calls; and for what is far larger than a template, since one comes with
  // somebody else's model.
  explicit JinjaTemplate(std::string_view source);

  // `variables`: an object. Text that is not ASCII passes through, but is measured and stripped by bytes. Throws
  // JinjaError, also where it runs, keeps or writes too much, and JinjaRaised where the template itself raises.
  [[nodiscard]] std::string render(const Json& variables) const;

  struct Rendering {
    JinjaScopes scopes;
    std::string text;
    enum class Flow { on, next, stop } flow = Flow::on;  // of the innermost loop
  };
  using Node = std::function<void(Rendering&)>;

 private:
  std::vector<Node> nodes_;
};

}  // namespace rim
