#include <boost/program_options/value_semantic.hpp>
#include <iostream>

#include "data/organism/word_problems.h"
#include "launch/verbs/verb.h"

namespace rim {
namespace {

int run(const Invocation& call) {
  const std::string folder = call.get<std::string>("DIR");
  write_word_problems(folder, static_cast<std::uint64_t>(call.whole_number("seed", 0)), call.whole_number("train", 1),
                      call.whole_number("test", 1));
  std::cout << folder << "\n";
  return 0;
}

}  // namespace

Verb word_problems_verb() {
  namespace po = boost::program_options;
  Verb verb;
  verb.name = "word-problems";
  verb.group = "Making data";
  verb.summary = "write generated word problems with worked reasoning, for models that can read";
  verb.details = "train.jsonl and test.jsonl, which share no question. The same arguments write the same bytes.";
  verb.positionals = {{"DIR", true, false}};
  verb.options.add_options()("help,h", "this text")(
      "seed", po::value<std::int64_t>()->default_value(1)->value_name("N"), "of all draws")(
      "train", po::value<std::int64_t>()->default_value(2000)->value_name("N"), "training problems")(
      "test", po::value<std::int64_t>()->default_value(200)->value_name("N"), "held-out problems");
  verb.examples = {"rimscope word-problems data/generated/word-problems --seed 1",
                   "rimscope word-problems /tmp/problems --train 500 --test 50"};
  verb.run = run;
  return verb;
}

}  // namespace rim
