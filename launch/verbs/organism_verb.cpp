#include <boost/program_options/value_semantic.hpp>
#include <iostream>

#include "data/organism/organism.h"
#include "launch/verbs/verb.h"

namespace rim {
namespace {

int run(const Invocation& call) {
  OrganismOptions options;
  options.folder = call.get<std::string>("DIR");
  options.seed = static_cast<std::uint64_t>(call.whole_number("seed", 0));
  write_organism(options);
  std::cout << options.folder.string() << "\n";
  return 0;
}

}  // namespace

Verb organism_make_verb() {
  Verb verb;
  verb.name = "organism make";
  verb.group = "Making data";
  verb.summary = "write the small model's world: tokenizer, config, training and test data";
  verb.details = "What is in it and why: docs/organism.md. The same seed writes the same bytes.";
  verb.positionals = {{"DIR", true, false}};
  verb.options.add_options()("help,h", "this text")(
      "seed", boost::program_options::value<std::int64_t>()->default_value(1)->value_name("N"), "of all draws");
  verb.examples = {"rimscope organism make runs/organism/world --seed 1",
                   "rimscope organism make /tmp/world2 --seed 2"};
  verb.run = run;
  return verb;
}

}  // namespace rim
