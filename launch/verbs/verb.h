// One command of the program: `rimscope VERB ...`.
#pragma once

#include <boost/program_options/options_description.hpp>
#include <boost/program_options/variables_map.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "trainer/parallel/communicator.h"

namespace rim {

class FailureMeeting;

// One call of a verb, its command line already checked.
struct Invocation {
  const MpiSession& session;
  FailureMeeting& failures;
  std::vector<std::string> argv;  // the whole command line, for the record
  boost::program_options::variables_map options;

  [[nodiscard]] bool has(const std::string& name) const { return options.count(name) > 0; }
  template <typename Value>
  [[nodiscard]] Value get(const std::string& name) const {
    return options[name].as<Value>();
  }
  // A whole number from `lowest` up. Throws Error(usage) for a smaller one.
  [[nodiscard]] std::int64_t whole_number(const std::string& name, std::int64_t lowest) const;
  // The words of a positional that may be repeated.
  [[nodiscard]] std::vector<std::string> list(const std::string& name) const {
    return has(name) ? get<std::vector<std::string>>(name) : std::vector<std::string>{};
  }
};

struct Positional {
  std::string name;  // "CONFIG": shown in the help and asked for by Invocation::get
  bool required = true;
  bool repeated = false;  // takes all that follow; the last positional only
};

struct Verb {
  std::string name;     // one or two words
  std::string group;    // heading in `rimscope --help`
  std::string summary;  // one line
  std::string details;  // paragraphs of `rimscope VERB --help`; may be empty
  std::vector<Positional> positionals;
  boost::program_options::options_description options;
  std::vector<std::string> examples;             // without "rimscope" in front where they start with mpirun
  bool collective = false;                       // run by every rank; the others by rank 0 alone
  int (*run)(const Invocation& call) = nullptr;  // returns the exit code; throws Error
};

// In the order of the help. Explicit, as the monitors' registry is.
std::vector<Verb> all_verbs();

Verb train_verb();
Verb data_show_verb();
Verb generate_verb();
Verb report_verb();
Verb summary_verb();
Verb organism_make_verb();
Verb word_problems_verb();
Verb doctor_verb();
Verb config_reference_verb();

}  // namespace rim
