#include "launch/verbs/command_line.h"

#include <H5public.h>

#include <boost/program_options/errors.hpp>
#include <boost/program_options/parsers.hpp>
#include <boost/program_options/positional_options.hpp>
#include <iostream>

#include "data/support/error.h"
#include "launch/config/spelling.h"
#include "launch/verbs/ending.h"
#include "launch/verbs/help.h"
#include "launch/verbs/verb.h"
#include "launch/verbs/version.h"

namespace rim {
namespace {

namespace po = boost::program_options;

// A verb and how many words of the command line its name takes.
struct Chosen {
  const Verb* verb = nullptr;
  std::size_t words = 0;
};

Chosen choose(const std::vector<Verb>& verbs, const std::vector<std::string>& words) {
  for (const Verb& verb : verbs) {
    if (words[0] == verb.name) return {&verb, 1};
    if (words.size() > 1 && words[0] + " " + words[1] == verb.name) return {&verb, 2};
  }
  return {};
}

// `help VERB` is `VERB --help`.
std::vector<std::string> words_of(const std::vector<std::string>& arguments) {
  std::vector<std::string> words(arguments.begin() + 1, arguments.end());
  if (words.size() < 2 || words[0] != "help") return words;
  words.erase(words.begin());
  words.emplace_back("--help");
  return words;
}

[[noreturn]] void refuse_verb(const std::vector<Verb>& verbs, const std::vector<std::string>& words) {
  if (words[0].starts_with('-')) {
    const auto near = nearest_name(words[0], {"--help", "--version"});
    throw Error(ExitCode::usage,
                "there is no option '" + words[0] + "' before a verb" +
                    (near ? "; did you mean '" + *near + "'?" : "; `rimscope --help` lists the verbs"));
  }
  std::vector<std::string> names;
  for (const Verb& verb : verbs) {
    names.push_back(verb.name);
    // "data" alone, or with a second word of its own, means one of the verbs that start so.
    if (verb.name.starts_with(words[0] + " ")) {
      throw Error(ExitCode::usage, "'" + words[0] + "' needs a second word; did you mean '" + verb.name + "'?");
    }
  }
  const auto near = nearest_name(words[0], names);
  const std::string advice = near ? "; did you mean '" + *near + "'?" : "; `rimscope --help` lists the verbs";
  throw Error(ExitCode::usage, "there is no verb '" + words[0] + "'" + advice);
}

po::variables_map parse_words(const Verb& verb, const std::vector<std::string>& words) {
  po::options_description all = verb.options;
  po::positional_options_description order;
  for (const Positional& positional : verb.positionals) {
    if (positional.repeated) {
      all.add_options()(positional.name.c_str(), po::value<std::vector<std::string>>());
    } else {
      all.add_options()(positional.name.c_str(), po::value<std::string>());
    }
    order.add(positional.name.c_str(), positional.repeated ? -1 : 1);
  }
  // Words are not guessed from their beginnings: a later option must not change what an old script means.
  const int style = po::command_line_style::unix_style & ~po::command_line_style::allow_guessing;
  po::variables_map values;
  po::store(po::command_line_parser(words).options(all).positional(order).style(style).run(), values);
  // `--help` is answered whatever else is missing.
  if (values.count("help") == 0) po::notify(values);
  return values;
}

std::string nearest_option(const Verb& verb, const std::string& given) {
  std::vector<std::string> names;
  for (const auto& option : verb.options.options()) names.push_back("--" + option->long_name());
  const auto near = nearest_name(given, names);
  return near ? "; did you mean '" + *near + "'?" : "";
}

po::variables_map parse(const Verb& verb, const std::vector<std::string>& words) {
  const std::string remedy = " (`rimscope " + verb.name + " --help` shows what there is)";
  try {
    po::variables_map values = parse_words(verb, words);
    if (values.count("help") > 0) return values;
    for (const Positional& positional : verb.positionals) {
      if (positional.required && values.count(positional.name) == 0) {
        throw Error(ExitCode::usage, verb.name + ": " + positional.name + " is missing" + remedy);
      }
    }
    return values;
  } catch (const po::unknown_option& error) {
    const std::string& given = error.get_option_name();
    throw Error(ExitCode::usage,
                verb.name + ": there is no option '" + given + "'" + nearest_option(verb, given) + remedy);
  } catch (const po::error& error) {
    throw Error(ExitCode::usage, verb.name + ": " + error.what() + remedy);
  }
}

int run_verb(const Verb& verb, const Invocation& call) {
  const bool first_rank = call.session.rank() == 0;
  if (call.has("help")) {
    if (first_rank) std::cout << verb_help(verb);
    return 0;
  }
  return verb.collective || first_rank ? verb.run(call) : 0;
}

// Help, the version, and what is wrong before any verb runs are rank 0's to print.
int run_words(const std::vector<std::string>& arguments, const MpiSession& session, FailureMeeting& failures,
              bool& collective) {
  const std::vector<Verb> verbs = all_verbs();
  std::vector<std::string> words = words_of(arguments);
  const bool wants_help = words.empty() || words[0] == "--help" || words[0] == "-h" || words[0] == "help";
  const bool wants_version = !wants_help && words[0] == "--version";
  if (wants_help || wants_version) {
    if (session.rank() == 0) std::cout << (wants_help ? program_help(verbs) : version_text());
    return words.empty() ? static_cast<int>(ExitCode::usage) : 0;
  }
  const Chosen chosen = choose(verbs, words);
  if (chosen.verb == nullptr) refuse_verb(verbs, words);
  words.erase(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(chosen.words));
  const Invocation call{session, failures, arguments, parse(*chosen.verb, words)};
  collective = chosen.verb->collective;
  return run_verb(*chosen.verb, call);
}

}  // namespace

int run_command_line(const std::vector<std::string>& arguments, const MpiSession& session) {
  // HDF5's own handler at exit crashes where a file could not be closed, as on a full disk; files close themselves
  // here.
  H5dont_atexit();
  FailureMeeting failures(session);
  bool collective = true;  // until a verb runs, every rank meets the same errors
  try {
    const int code = run_words(arguments, session, failures, collective);
    std::cout.flush();
    if (!std::cout) throw Error(ExitCode::input_output, "standard output cannot be written");
    return code;
  } catch (...) {
    return failures.end_with_error(collective);
  }
}

}  // namespace rim
