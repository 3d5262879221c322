// The Hugging Face files beside the organism's tokenizer.json.
#pragma once

#include <string>

#include "data/organism/vocabulary.h"

namespace rim {

// Special tokens of the Qwen3 family, in the order of their ids.
inline constexpr const char* kEndOfText = "<|endoftext|>";
inline constexpr const char* kTurnStart = "<|im_start|>";
inline constexpr const char* kTurnEnd = "<|im_end|>";
std::vector<std::string> organism_special_tokens();

// config.json: Qwen3's form, width 128, 4 layers, 4 query and 2 key-value heads of 32, SwiGLU 384, tied embeddings.
std::string organism_config_json(const LearnedVocabulary& vocabulary);

// tokenizer_config.json with a chat template that writes conversations as Qwen3's does (no tools).
std::string organism_tokenizer_config_json(const LearnedVocabulary& vocabulary);

}  // namespace rim
