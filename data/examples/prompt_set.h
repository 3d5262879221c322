// Named sets of prompts that monitors probe the model with.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "data/tokenizer/chat_template.h"

namespace rim {

struct Prompt {
  std::string id;                    // the file's id field where it has one, else "<stem>:<row>"
  std::string text;                  // the user's (last) turn
  std::string reasoning;             // reference reasoning, where the format has it
  std::string response;              // reference response, where the format has it
  std::string answer;                // gold answer for skill sets, else empty
  std::string topic = {};            // words that an answer on topic names (data/evaluation/judge.h), else empty
  std::vector<Message> before = {};  // what was said before `text`: a system turn, earlier turns; mostly nothing
  bool operator==(const Prompt&) const = default;
};

struct PromptSet {
  std::string name;
  std::vector<Prompt> prompts;
};

struct PromptSetSource {
  std::filesystem::path path;    // .jsonl or .csv (RFC 4180, header row)
  std::string field = "prompt";  // column or member that holds the request
  std::string format = "field";  // field | gsm8k | messages
  std::optional<std::int64_t> limit;
  std::string where;  // "column=value": keep only such rows; empty: all
};

// field: the request is the named column or member; "answer", "response", "reasoning" and "topic" beside it are taken
// where they are. gsm8k: as read_examples. messages: the conversation up to the last user turn, reference from the
// assistant turn that follows it (what else follows is refused). Throws Error(no_input), or Error(bad_data) naming
// file, line and the fields there are.
PromptSet read_prompt_set(const std::string& name, const PromptSetSource& source);

// Lower-case hexadecimal SHA-256 over every field of every prompt, in the set's order; its name does not count.
std::string digest_of(const PromptSet& set);

}  // namespace rim
