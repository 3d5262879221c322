#include "launch/verbs/help.h"

#include <algorithm>
#include <cctype>
#include <sstream>

namespace rim {
namespace {

std::string usage_of(const Verb& verb) {
  std::string text = "rimscope " + verb.name;
  for (const Positional& positional : verb.positionals) {
    const std::string word = positional.name + (positional.repeated ? " ..." : "");
    text += positional.required ? " " + word : " [" + word + "]";
  }
  for (const auto& option : verb.options.options()) {
    if (option->semantic()->is_required()) text += " --" + option->long_name() + " " + option->format_parameter();
  }
  return text + (verb.options.options().size() > 1 ? " [options]" : "");
}

std::string examples_of(const std::vector<std::string>& examples) {
  std::string text = "\nExamples\n";
  for (const std::string& example : examples) text += "  " + example + "\n";
  return text;
}

}  // namespace

std::string program_help(const std::vector<Verb>& verbs) {
  std::string text =
      "RIMscope fine-tunes language models and watches what the training does to their safety.\n\n"
      "Usage: rimscope VERB ...      (train under mpirun: mpirun -np N rimscope train ...)\n";
  std::size_t width = 0;
  std::vector<std::string> groups;
  for (const Verb& verb : verbs) {
    width = std::max(width, verb.name.size());
    if (std::find(groups.begin(), groups.end(), verb.group) == groups.end()) groups.push_back(verb.group);
  }
  for (const std::string& group : groups) {
    text += "\n" + group + "\n";
    for (const Verb& verb : verbs) {
      if (verb.group == group)
        text += "  " + verb.name + std::string(width + 2 - verb.name.size(), ' ') + verb.summary + "\n";
    }
  }
  text +=
      "\n  rimscope VERB --help   its options and examples\n  rimscope --version     this build and its libraries\n";
  text += examples_of({"mpirun -np 2 rimscope train configs/organism-target.yaml learning_rate=5e-4",
                       "rimscope data show configs/qwen3-gsm8k.yaml -n 3"});
  return text +
         "\nExit codes: 0 done, 64 usage, 65 bad data, 66 missing input, 70 training diverged or a fault of the\n"
         "program, 74 input or output, 75 stopped on request (resume to go on), 78 configuration.\n";
}

std::string verb_help(const Verb& verb) {
  std::ostringstream text;
  std::string sentence = verb.summary + ".";
  sentence[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(sentence[0])));
  text << "Usage: " << usage_of(verb) << "\n\n" << sentence << "\n";
  if (!verb.details.empty()) text << "\n" << verb.details << "\n";
  text << "\n" << verb.options << examples_of(verb.examples);
  return text.str();
}

}  // namespace rim
