#include "monitors/report/prose.h"

namespace rim::report {

std::string sentence(std::string text) {
  while (!text.empty() && text.back() == ' ') text.pop_back();
  const bool ended = text.ends_with('.') || text.ends_with('!') || text.ends_with('?');
  return ended || text.empty() ? text : text + ".";
}

}  // namespace rim::report
