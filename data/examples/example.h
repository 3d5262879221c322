// Conversations as read from a user's file, before tokenisation.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "data/support/json.h"
#include "data/tokenizer/chat_template.h"

namespace rim {

struct Example {
  std::vector<Message> messages;      // chat form; empty where prompt and completion are plain text
  std::vector<std::uint8_t> trained;  // one for each message; 0: context only, even where it is an assistant's
  std::string prompt;                 // plain form: joined to `completion` as it stands
  std::string completion;
  std::string answer;  // the gold answer where the format has one (gsm8k), else empty
  std::string origin;  // "file.jsonl:12", for messages to the user
};

struct DatasetSource {
  std::filesystem::path path;
  std::string format = "messages";    // messages | prompt_completion | gsm8k
  double weight = 1.0;                // copies per epoch; 0.5: a seeded half each epoch
  std::optional<std::int64_t> limit;  // first rows only
};

// Reads JSONL. messages: {"messages": [{"role", "content"[, "reasoning_content"][, "weight"]}]}, as read_messages reads
// them. prompt_completion: {"prompt", "completion"} as strings or message lists
// (then only the completion's assistant turns are trained, as in TRL). gsm8k: {"question", "answer"}: the question is
// the user's turn; of the answer, the text before "####" with <<a=b>> marks taken out is the reasoning, the number
// after it the content and the gold answer. Throws Error(no_input), Error(bad_data) "file:line: what is wrong" (a file
// without examples too), or Error(config) for an unknown format.
std::vector<Example> read_examples(const DatasetSource& source);

// One row of such a file; `origin` heads the errors and becomes the example's origin.
Example example_from_row(const Json& row, const std::string& format, const std::string& origin);

}  // namespace rim
