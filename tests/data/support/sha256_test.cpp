#include "data/support/sha256.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "data/support/error.h"
#include "data/support/files.h"

namespace {

using namespace rim;

// FIPS 180-4's example message, and sha256sum of an empty file.
constexpr const char* kOfAbc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
constexpr const char* kOfNothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

TEST(Sha256, KnownDigests) {
  EXPECT_EQ(sha256_hex("abc"), kOfAbc);
  EXPECT_EQ(sha256_hex(""), kOfNothing);
}

TEST(Sha256, PiecesGiveTheDigestOfTheWhole) {
  Sha256 sha256;
  sha256.add("a", 1);
  sha256.add("", 0);
  sha256.add("bc", 2);
  EXPECT_EQ(sha256.hexadecimal(), kOfAbc);
}

TEST(Sha256, DigestOfAFileIsTheDigestOfItsBytes) {
  const auto path = std::filesystem::temp_directory_path() / "rimscope-sha256-test";
  const std::string bytes(3'000'001, 'x');  // several blocks and a rest
  write_file_atomically(path, bytes);
  EXPECT_EQ(digest_file(path), (FileDigest{3'000'001, sha256_hex(bytes)}));
  write_file_atomically(path, "");
  EXPECT_EQ(digest_file(path), (FileDigest{0, kOfNothing}));
  std::filesystem::remove(path);
  EXPECT_THROW(digest_file(path), Error);
}

}  // namespace
