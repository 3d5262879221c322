// Reads tokenizer.json, or GPT-2's vocab.json and merges.txt, into the parts of a Tokenizer.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "data/tokenizer/added_tokens.h"
#include "data/tokenizer/byte_pair_model.h"
#include "data/tokenizer/pre_tokenizer.h"
#include "data/tokenizer/vocabulary.h"

namespace rim {

struct TokenizerParts {
  Vocabulary vocabulary;  // the model's tokens and the added ones
  std::vector<AddedToken> added_tokens;
  bool nfc = false;
  PreTokenizer pre_tokenizer;
  BytePairModel model;
  std::vector<std::int64_t> text_start;  // special tokens before a plain text
};

// `path`: a tokenizer.json or a folder. vocab.json and merges.txt without a tokenizer.json are taken where
// tokenizer_config.json calls them GPT-2's, or is not there. Throws Error(no_input) where there is nothing to read,
// Error(bad_data) that names the file and what in it is malformed or not supported. Truncation and padding settings are
// passed over: they belong to whoever makes batches.
TokenizerParts read_tokenizer(const std::filesystem::path& path);

}  // namespace rim
