// Files that must be refused, each with one clear error.
#include <gmock/gmock.h>

#include <functional>

#include "data/support/error.h"
#include "tests/data/tokenizer/tiny_tokenizer.h"

namespace rim {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// Puts a special token before the text, as Llama-3's file does.
Json post_processor(const std::string& token) {
  return {
      {"type", "TemplateProcessing"},
      {"single", {{{"SpecialToken", {{"id", token}, {"type_id", 0}}}}, {{"Sequence", {{"id", "A"}, {"type_id", 0}}}}}},
      {"special_tokens", {{"<|im_start|>", {{"id", "<|im_start|>"}, {"ids", {260}}, {"tokens", {"<|im_start|>"}}}}}}};
}

struct Refusal {
  std::string name;
  std::function<void(Json&)> damage;
  std::string words;  // what the error must say
};

Json type(const char* name) { return {{"type", name}}; }

Json sequence_of(const Json& first) {
  return {{"type", "Sequence"}, {"pretokenizers", {first, {{"type", "ByteLevel"}, {"use_regex", false}}}}};
}

Json split_by(const char* pattern, const char* behavior = "Isolated") {
  return sequence_of({{"type", "Split"}, {"pattern", {{"Regex", pattern}}}, {"behavior", behavior}});
}

const std::vector<Refusal> kRefusals = {
    {"NoModel", [](Json& file) { file.erase("model"); }, "'model' is missing"},
    {"NoVocabulary", [](Json& file) { file["model"].erase("vocab"); }, "vocabulary"},
    {"Unigram", [](Json& file) { file["model"]["type"] = "Unigram"; }, "'Unigram'"},
    {"WordPiece", [](Json& file) { file["model"]["type"] = "WordPiece"; }, "'WordPiece'"},
    {"ByteFallback", [](Json& file) { file["model"]["byte_fallback"] = true; }, "byte_fallback"},
    {"Dropout", [](Json& file) { file["model"]["dropout"] = 0.1; }, "dropout"},
    {"Prefix", [](Json& file) { file["model"]["continuing_subword_prefix"] = "##"; }, "continuing_subword_prefix"},
    {"Suffix", [](Json& file) { file["model"]["end_of_word_suffix"] = "</w>"; }, "end_of_word_suffix"},
    {"NegativeId", [](Json& file) { file["model"]["vocab"]["he"] = -1; }, "id -1"},
    {"FractionId", [](Json& file) { file["model"]["vocab"]["he"] = 1.5; }, "'he' is not a whole number"},
    {"TextId", [](Json& file) { file["model"]["vocab"]["he"] = "7"; }, "'he' is not a whole number"},
    {"HugeId", [](Json& file) { file["model"]["vocab"]["he"] = 4'000'000'000; }, "4000000000"},
    {"DuplicateId", [](Json& file) { file["model"]["vocab"]["he"] = 65; }, "'A'"},
    {"EmptyToken", [](Json& file) { file["model"]["vocab"][""] = 264; }, "empty spelling"},
    {"UnknownMerge", [](Json& file) { file["model"]["merges"].push_back("x y"); }, "merge 5 ('x' + 'y') names 'xy'"},
    {"BrokenMerge", [](Json& file) { file["model"]["merges"].push_back("h e l"); }, "merge 5"},
    {"MergeOfThree",
     [](Json& file) {
       file["model"]["merges"].push_back({"h", "e", "l"});
     },
     "merge 5"},
    {"NoMerges", [](Json& file) { file["model"].erase("merges"); }, "'merges'"},
    {"UnknownUnknown",
     [](Json& file) {
       file["model"]["vocab"].erase("z");
       file["model"]["vocab"]["unused"] = 'z';
       file["model"]["unk_token"] = "<unk>";
     },
     "unk_token '<unk>'"},
    {"AddedIdTaken", [](Json& file) { file["added_tokens"][0]["id"] = 65; }, "'<|im_start|>' has id 65"},
    {"AddedIdGap", [](Json& file) { file["added_tokens"][3]["id"] = 300; }, "must be 263"},
    {"AddedTwice", [](Json& file) { file["added_tokens"][3]["content"] = "<think>"; }, "'<think>'"},
    {"AddedEmpty", [](Json& file) { file["added_tokens"][3]["content"] = ""; }, "empty spelling"},
    {"AddedWithoutId", [](Json& file) { file["added_tokens"][3].erase("id"); }, "'id' is missing"},
    {"AddedNoList", [](Json& file) { file["added_tokens"] = 3; }, "'added_tokens'"},
    {"Normalizer", [](Json& file) { file["normalizer"] = type("Lowercase"); }, "'Lowercase'"},
    {"NormalizerInSequence",
     [](Json& file) {
       file["normalizer"] = {{"type", "Sequence"}, {"normalizers", {type("NFC"), type("NFKC")}}};
     },
     "'NFKC'"},
    {"TemplateOfUnknown", [](Json& file) { file["post_processor"] = post_processor("<s>"); }, "'<s>'"},
    {"TemplateWithoutText",
     [](Json& file) {
       file["post_processor"] = post_processor("<|im_start|>");
       file["post_processor"]["single"].erase(1);
     },
     "no place for the text"},
    {"TemplateOfNoToken",
     [](Json& file) {
       file["post_processor"] = post_processor("<|im_start|>");
       file["post_processor"]["special_tokens"]["<|im_start|>"]["ids"][0] = 999;
     },
     "no token 999"},
    {"DecoderOfTwo",
     [](Json& file) {
       file["decoder"] = {{"type", "Sequence"}, {"decoders", {type("ByteLevel"), type("Strip")}}};
     },
     "'Sequence'"},
    {"PostProcessor", [](Json& file) { file["post_processor"] = type("BertProcessing"); }, "'BertProcessing'"},
    {"Decoder", [](Json& file) { file["decoder"] = type("Metaspace"); }, "'Metaspace'"},
    {"NoDecoder", [](Json& file) { file.erase("decoder"); }, "decoder"},
    {"NoPreTokenizer", [](Json& file) { file.erase("pre_tokenizer"); }, "pre_tokenizer"},
    {"PreTokenizer", [](Json& file) { file["pre_tokenizer"] = type("Whitespace"); }, "'Whitespace'"},
    {"NotByteLevel", [](Json& file) { file["pre_tokenizer"] = type("Digits"); }, "ByteLevel"},
    {"AfterByteLevel", [](Json& file) { file["pre_tokenizer"] = sequence_of(type("ByteLevel")); }, "after ByteLevel"},
    {"SplitByString",
     [](Json& file) {
       file["pre_tokenizer"] =
           sequence_of({{"type", "Split"}, {"pattern", {{"String", " "}}}, {"behavior", "Isolated"}});
     },
     "Regex"},
    {"SplitBehavior", [](Json& file) { file["pre_tokenizer"] = split_by("a", "MergedWithNext"); }, "'MergedWithNext'"},
    {"Anchor", [](Json& file) { file["pre_tokenizer"] = split_by("a$"); }, "'$'"},
    {"WordClass", [](Json& file) { file["pre_tokenizer"] = split_by("\\w+"); }, "'\\w'"},
    {"Script", [](Json& file) { file["pre_tokenizer"] = split_by("\\p{Han}+"); }, "\\p{Han}"},
    {"PossessiveCount", [](Json& file) { file["pre_tokenizer"] = split_by("a{1,3}+"); }, "'}+'"},
    {"NestedClass", [](Json& file) { file["pre_tokenizer"] = split_by("[a[bc]]"); }, "class inside a class"},
    {"Lookbehind", [](Json& file) { file["pre_tokenizer"] = split_by("(?<=a)b"); }, "(?<"},
    {"UnclosedGroup", [](Json& file) { file["pre_tokenizer"] = split_by("(?:a"); }, "malformed"},
    {"UnopenedGroup", [](Json& file) { file["pre_tokenizer"] = split_by("a)"); }, "')'"},
    {"UnclosedClass", [](Json& file) { file["pre_tokenizer"] = split_by("[a"); }, "unfinished"},
    {"LoneBackslash", [](Json& file) { file["pre_tokenizer"] = split_by("a\\"); }, "unfinished"},
};

class RefusedTokenizer : public ::testing::TestWithParam<Refusal> {};

TEST_P(RefusedTokenizer, NamesTheFileAndTheFault) {
  Json description = testing::tiny_tokenizer();
  GetParam().damage(description);
  const testing::TemporaryFolder folder;
  const auto path = folder.write("tokenizer.json", description.dump());
  try {
    (void)Tokenizer::load(path);
    FAIL() << "was read";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::bad_data);
    EXPECT_THAT(error.what(), AllOf(HasSubstr(path.string()), HasSubstr(GetParam().words)));
  }
}

INSTANTIATE_TEST_SUITE_P(Files, RefusedTokenizer, ::testing::ValuesIn(kRefusals),
                         [](const auto& refusal) { return refusal.param.name; });

ExitCode code_of(const std::filesystem::path& path) {
  try {
    (void)Tokenizer::load(path);
  } catch (const Error& error) {
    return error.code();
  }
  return ExitCode::ok;
}

TEST(TokenizerFile, MissingAndMalformedFiles) {
  const testing::TemporaryFolder folder;
  EXPECT_EQ(code_of(folder.path()), ExitCode::no_input);
  EXPECT_EQ(code_of(folder.path() / "tokenizer.json"), ExitCode::no_input);
  EXPECT_EQ(code_of(folder.write("half.json", testing::tiny_tokenizer().dump().substr(0, 999))), ExitCode::bad_data);
  EXPECT_EQ(code_of(folder.write("list.json", "[]")), ExitCode::bad_data);
  EXPECT_EQ(code_of(folder.write("empty.json", "")), ExitCode::bad_data);
}

TEST(TokenizerFile, GptTwoFolder) {
  const testing::TemporaryFolder folder;
  Json vocabulary = testing::tiny_tokenizer()["model"]["vocab"];
  vocabulary["<|endoftext|>"] = 260;
  (void)folder.write("vocab.json", vocabulary.dump());
  (void)folder.write("merges.txt", "#version: 0.2\nh e\nl l\nhe ll\nhell o\n");
  const Tokenizer tokenizer = Tokenizer::load(folder.path());
  EXPECT_THAT(tokenizer.encode("hello<|endoftext|>"), ::testing::ElementsAre(259, 260));
  EXPECT_TRUE(tokenizer.is_special(260));
  (void)folder.write("merges.txt", "#version: 0.2\nh e\nh\n");
  EXPECT_EQ(code_of(folder.path()), ExitCode::bad_data);
}

TEST(TokenizerFile, VocabularyAndMergesOfAnotherClassAreRefused) {
  const testing::TemporaryFolder folder;
  (void)folder.write("vocab.json", testing::tiny_tokenizer()["model"]["vocab"].dump());
  (void)folder.write("merges.txt", "h e\nl l\nhe ll\nhell o\n");
  for (const char* name : {"GPT2Tokenizer", "GPT2TokenizerFast"}) {
    (void)folder.write("tokenizer_config.json", Json{{"tokenizer_class", name}}.dump());
    EXPECT_EQ(code_of(folder.path()), ExitCode::ok) << name;
  }
  (void)folder.write("tokenizer_config.json", R"({"tokenizer_class": "Qwen2Tokenizer"})");
  try {
    (void)Tokenizer::load(folder.path());
    FAIL() << "was read";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::bad_data);
    EXPECT_THAT(error.what(),
                AllOf(HasSubstr("tokenizer_config.json"), HasSubstr("'Qwen2Tokenizer'"), HasSubstr("save_pretrained")));
  }
}

TEST(TokenizerFile, AcceptsWhatChangesNoIds) {
  Json description = testing::tiny_tokenizer();
  description["post_processor"] = {{"type", "Sequence"},
                                   {"processors", {type("ByteLevel"), post_processor("<|im_start|>")}}};
  description["truncation"] = {{"max_length", 2}};
  description["padding"] = {{"strategy", "BatchLongest"}};
  description["model"].erase("type");
  description["model"]["unk_token"] = "<unk>";  // never asked for: every byte has a token
  EXPECT_THAT(testing::load(description).encode("a b c"), ::testing::ElementsAre('a', ' ', 'b', ' ', 'c'));
}

}  // namespace
}  // namespace rim
