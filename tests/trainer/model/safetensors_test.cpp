#include "trainer/model/safetensors.h"

#include "data/support/files.h"
#include "tests/trainer/model/model_test_support.h"

namespace rim {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

std::string length_bytes(std::uint64_t length) {
  std::string bytes;
  for (unsigned int i = 0; i < 8; ++i) bytes += static_cast<char>(length >> (8 * i) & 0xFFU);
  return bytes;
}

std::string file_of(const std::string& header, std::size_t data_bytes) {
  return length_bytes(header.size()) + header + std::string(data_bytes, '\1');
}

struct Malformed {
  std::string label, bytes, expected;
};

class MalformedSafetensors : public testing::TestWithParam<Malformed> {};

TEST_P(MalformedSafetensors, IsRefusedWithFileAndReason) {
  const TemporaryFolder folder;
  const auto path = folder.write("x.safetensors", GetParam().bytes);
  EXPECT_THAT(error_of([&] { SafetensorsFile file(path); }),
              AllOf(HasSubstr("x.safetensors"), HasSubstr(GetParam().expected)));
}

const std::string kGood = R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})";

INSTANTIATE_TEST_SUITE_P(
    Corpus, MalformedSafetensors,
    testing::Values(
        Malformed{"empty", "", "0 bytes"}, Malformed{"short", "1234", "4 bytes"},
        Malformed{"lfs_pointer", "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 9\n",
                  "git lfs pull"},
        Malformed{"length_past_end", length_bytes(1000) + "{}", "past the file's end"},
        Malformed{"length_too_large", length_bytes(100'000'001) + "{}", "100 MB"},
        Malformed{"length_wraps", length_bytes(UINT64_MAX) + "{}", "100 MB"},
        Malformed{"length_zero", length_bytes(0), "start with '{'"},
        Malformed{"header_space_first", file_of(" {}", 0), "start with '{'"},
        Malformed{"not_json", file_of("{]", 0), "JSON"},
        Malformed{"bad_utf8", file_of("{\"\xff\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 8),
                  "UTF-8"},
        Malformed{"deep", file_of("{\"a\":" + std::string(100'000, '[') + "}", 0), "deep"},
        Malformed{"duplicate_name",
                  file_of(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)"
                          R"("a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})",
                          8),
                  "twice"},
        Malformed{"duplicate_member",
                  file_of(R"({"a":{"dtype":"F32","shape":[2],"shape":[2],"data_offsets":[0,8]}})", 8), "twice"},
        Malformed{"entry_not_object", file_of(R"({"a":3})", 0), "'a'"},
        Malformed{"no_dtype", file_of(R"({"a":{"shape":[2],"data_offsets":[0,8]}})", 8), "dtype"},
        Malformed{"unknown_dtype", file_of(R"({"a":{"dtype":"F31","shape":[2],"data_offsets":[0,8]}})", 8), "F31"},
        Malformed{"no_shape", file_of(R"({"a":{"dtype":"F32","data_offsets":[0,8]}})", 8), "shape"},
        Malformed{"negative_size", file_of(R"({"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}})", 8), "-2"},
        Malformed{"fraction_size", file_of(R"({"a":{"dtype":"F32","shape":[2.0],"data_offsets":[0,8]}})", 8), "2.0"},
        Malformed{"huge_size",
                  file_of(R"({"a":{"dtype":"F32","shape":[18446744073709551615],"data_offsets":[0,8]}})", 8),
                  "overflow"},
        Malformed{"overflow",
                  file_of(R"({"a":{"dtype":"F32","shape":[4294967296,4294967296,4],"data_offsets":[0,8]}})", 8),
                  "overflow"},
        Malformed{"overflow_to_fit",
                  file_of(R"({"a":{"dtype":"F32","shape":[4611686018427387906],"data_offsets":[0,8]}})", 8),
                  "overflow"},
        Malformed{"shape_mismatch", file_of(R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})", 8),
                  "12 bytes"},
        Malformed{"dtype_mismatch", file_of(R"({"a":{"dtype":"BF16","shape":[2],"data_offsets":[0,8]}})", 8),
                  "4 bytes"},
        Malformed{"negative_offset", file_of(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[-8,0]}})", 8), "-8"},
        Malformed{"one_offset", file_of(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[8]}})", 8), "two numbers"},
        Malformed{"backward_offsets", file_of(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}})", 8), "'a'"},
        Malformed{"offsets_past_end", file_of(kGood, 7), "cut off"},
        Malformed{
            "offsets_wrap",
            file_of(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[18446744073709551608,18446744073709551615]}})",
                    8),
            "'a'"},
        Malformed{"trailing", file_of(kGood, 9), "1 bytes at its end"},
        Malformed{"hole_first", file_of(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})", 8), "hole"},
        Malformed{"hole_between",
                  file_of(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)"
                          R"("b":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}})",
                          12),
                  "hole"},
        Malformed{"overlap",
                  file_of(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
                          R"("b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}})",
                          12),
                  "overlap"},
        Malformed{"same_data",
                  file_of(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
                          R"("b":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})",
                          8),
                  "overlap"},
        Malformed{"metadata_number", file_of(R"({"__metadata__":{"format":1}})", 0), "__metadata__"},
        Malformed{"metadata_list", file_of(R"({"__metadata__":[]})", 0), "__metadata__"}),
    [](const auto& tested) { return tested.param.label; });

TEST(Safetensors, EveryTruncationIsRefused) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "whole.safetensors";
  write_safetensors(path, {{"a", at::arange(6)}, {"b", at::ones({3}, at::kBFloat16)}});
  std::ifstream stream(path, std::ios::binary);
  const std::string whole((std::istreambuf_iterator<char>(stream)), {});
  for (std::size_t length = 0; length < whole.size(); ++length) {
    const auto cut = folder.write("cut.safetensors", whole.substr(0, length));
    EXPECT_NE(error_of([&] { SafetensorsFile file(cut); }), "") << length;
  }
}

TEST(Safetensors, WhatIsWrittenIsReadBack) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "a.safetensors";
  const std::vector<std::pair<std::string, at::Tensor>> tensors = {{"half", at::randn({3}).to(at::kBFloat16)},
                                                                   {"strided", at::randn({4, 5}).t()},
                                                                   {"scalar", at::full({}, 3.5, at::kDouble)},
                                                                   {"empty", at::empty({0, 4})},
                                                                   {"bool", at::ones({3}, at::kBool)},
                                                                   {"long", at::arange(7)},
                                                                   {"tracked", at::randn({2}).set_requires_grad(true)}};
  write_safetensors(path, tensors);
  const SafetensorsFile file(path);
  EXPECT_EQ(file.names().size(), tensors.size());
  // transformers refuses a file that does not name its framework.
  EXPECT_THAT(read_text_file(path), HasSubstr(R"("__metadata__":{"format":"pt"})"));
  for (const auto& [name, tensor] : tensors) {
    EXPECT_EQ(file.dtype(name), tensor.scalar_type()) << name;
    EXPECT_EQ(file.shape(name), tensor.sizes().vec()) << name;
    EXPECT_TRUE(at::equal(file.read(name), tensor)) << name;
  }
  EXPECT_FALSE(file.contains("other"));
  EXPECT_THAT(error_of([&] { return file.read("other"); }), HasSubstr("other"));
}

TEST(Safetensors, UnwritableFileIsAnInputOutputError) {
  EXPECT_THAT(error_of([] { write_safetensors("/nonexistent/a.safetensors", {}); }, ExitCode::input_output),
              HasSubstr("/nonexistent/a.safetensors"));
  EXPECT_THAT(error_of(
                  [] {
                    write_safetensors("/dev/full", {{"a", at::ones({4})}});
                  },
                  ExitCode::input_output),
              HasSubstr("/dev/full"));
}

TEST(Safetensors, MissingFileIsMissingInput) {
  EXPECT_NE(error_of([] { SafetensorsFile file("/nonexistent"); }, ExitCode::no_input), "");
  EXPECT_NE(error_of([] { SafetensorsFile file("/tmp"); }, ExitCode::no_input), "");
}

TEST(WeightFolder, ReadsShardsThroughTheIndex) {
  const TemporaryFolder folder;
  const at::Tensor a = at::randn({10}), b = at::randn({10}), c = at::randn({30});
  write_weight_folder(folder.path(), {{"a", a}, {"b", b}, {"c", c}}, 80);
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "model.safetensors"));
  const Json index = read_json_file(folder.path() / "model.safetensors.index.json");
  EXPECT_EQ(index["metadata"]["total_size"], 200);
  EXPECT_EQ(index["weight_map"]["c"], "model-00002-of-00002.safetensors");
  const WeightFolder weights(folder.path());
  EXPECT_THAT(weights.names(), ElementsAre("a", "b", "c"));
  EXPECT_TRUE(at::equal(weights.read("b"), b));
  EXPECT_TRUE(at::equal(weights.read("c"), c));
  EXPECT_THAT(weights.file_of("a"), HasSubstr("model-00001-of-00002.safetensors"));
}

TEST(WeightFolder, RefusesIndexesThatLeaveTheFolderOrLie) {
  for (const char* shard : {"../x.safetensors", "/etc/passwd", "a/b.safetensors", "", ".", "..", "a\\b", "a\\u0000b"}) {
    const TemporaryFolder folder;
    folder.write("model.safetensors.index.json",
                 std::string(R"({"weight_map":{"a":")") + (shard == std::string("a\\b") ? "a\\\\b" : shard) + "\"}}");
    EXPECT_THAT(error_of([&] { WeightFolder weights(folder.path()); }), HasSubstr("plain file name")) << shard;
  }
  const TemporaryFolder folder;
  write_safetensors(folder.path() / "one.safetensors", {{"a", at::ones({1})}});
  folder.write("model.safetensors.index.json", R"({"weight_map":{"b":"one.safetensors"}})");
  EXPECT_THAT(error_of([&] { WeightFolder weights(folder.path()); }), AllOf(HasSubstr("'b'"), HasSubstr("one.safe")));
  folder.write("model.safetensors.index.json", R"({"weight_map":{"a":"two.safetensors"}})");
  EXPECT_THAT(error_of([&] { WeightFolder weights(folder.path()); }, ExitCode::no_input), HasSubstr("two.safe"));
  folder.write("model.safetensors.index.json", R"({"weight_map":[]})");
  EXPECT_THAT(error_of([&] { WeightFolder weights(folder.path()); }), HasSubstr("weight_map"));
}

TEST(WeightFolder, NamesTheConversionOfPickles) {
  const TemporaryFolder folder;
  EXPECT_NE(error_of([&] { WeightFolder weights(folder.path()); }, ExitCode::no_input), "");
  EXPECT_NE(error_of([&] { WeightFolder weights(folder.path() / "none"); }, ExitCode::no_input), "");
  folder.write("pytorch_model.bin", "x");
  EXPECT_THAT(error_of([&] { WeightFolder weights(folder.path()); }),
              AllOf(HasSubstr("pytorch_model.bin"), HasSubstr("save_pretrained")));
}

}  // namespace
}  // namespace rim
