// What a stranger's template may not do. That good ones render as Jinja does, test_jinja_parity.py asks Jinja itself.
#include "data/tokenizer/jinja_template.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rim {
namespace {

using ::testing::HasSubstr;

std::string repeated(const std::string& part, int times) {
  std::string text;
  for (int i = 0; i < times; ++i) text += part;
  return text;
}

std::string complaint(const std::string& source) {
  try {
    static_cast<void>(JinjaTemplate(source).render(Json::object()));
  } catch (const JinjaError& error) {
    return error.what();
  }
  return "rendered";
}

TEST(JinjaTemplate, LongChainsDoNotReachTheStacksEnd) {
  EXPECT_EQ(JinjaTemplate("{{ 1" + repeated("+1", 900) + " }}").render(Json::object()), "901");
  for (const char* link : {"+1", "|trim", " or 1", " if 1 else 1", "[0]", ".a"}) {
    EXPECT_THAT(complaint("{{ x" + repeated(link, 10'000) + " }}"), HasSubstr("a tag of more than 2000 words")) << link;
  }
  EXPECT_THAT(complaint(repeated("{# long #}", 30'000)), HasSubstr("longer than 256 KiB"));
}

TEST(JinjaTemplate, DoublingEndsBeforeTheMemoryDoes) {
  const std::string begin = "{% set x = 'abcdefgh' %}";
  for (const char* twice : {"{% set x = x ~ x %}", "{% set x = x + x %}", "{% set x = [x, x] %}",
                            "{% set x = x|string|replace('a', x) %}", "{% set x = {'a': x, 'b': x} %}"}) {
    EXPECT_THAT(complaint(begin + repeated(twice, 60)),
                ::testing::AnyOf(HasSubstr("too large"), HasSubstr("too long"), HasSubstr("is printed")))
        << twice;
  }
  EXPECT_THAT(complaint("{% set n = namespace(x=[]) %}" + repeated("{% set n.x = [n.x] %}", 200)),
              HasSubstr("nested too deeply"));
  const std::string loops = repeated("{% for a in [1,2,3,4,5,6,7,8] %}", 6);
  EXPECT_THAT(complaint(loops + repeated("text ", 20) + repeated("{% endfor %}", 6)), HasSubstr("writes too much"));
}

TEST(JinjaTemplate, NumbersThatOverflowAreRefused) {
  EXPECT_THAT(complaint("{{ 9223372036854775807 * 2 }}"), HasSubstr("a number that is too large"));
  EXPECT_THAT(complaint("{{ 9223372036854775807 + 1 }}"), HasSubstr("a number that is too large"));
  EXPECT_EQ(JinjaTemplate("{{ -7 // 2 }} {{ -7 % 2 }} {{ 7 // 2 }} {{ 7 % 2 }}").render(Json::object()), "-4 1 3 1");
}

}  // namespace
}  // namespace rim
