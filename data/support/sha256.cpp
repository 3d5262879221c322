#include "data/support/sha256.h"

#include <openssl/evp.h>

#include <array>
#include <cerrno>
#include <memory>
#include <system_error>
#include <vector>

#include "data/support/error.h"
#include "data/support/file_descriptor.h"
#include "data/support/text.h"

namespace rim {
namespace {

constexpr std::size_t kBlock = std::size_t{1} << 20;

struct FreeContext {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

class InputFile {
 public:
  explicit InputFile(const std::filesystem::path& path) : path_(path), descriptor_(path, O_RDONLY) {
    if (descriptor_.value() < 0) refuse();
  }

  // 0 at the end.
  std::size_t read(std::vector<char>& block) {
    while (true) {
      const ssize_t got = ::read(descriptor_.value(), block.data(), block.size());
      if (got >= 0) return static_cast<std::size_t>(got);
      if (errno != EINTR) refuse();
    }
  }

 private:
  [[noreturn]] void refuse() const {
    throw Error(ExitCode::no_input, path_.string() + ": cannot be read: " + std::generic_category().message(errno));
  }
  std::filesystem::path path_;
  FileDescriptor descriptor_;
};

void check(bool good) {
  if (!good) throw Error(ExitCode::software, "OpenSSL could not compute a SHA-256 digest");
}

}  // namespace

struct Sha256::Implementation {
  std::unique_ptr<EVP_MD_CTX, FreeContext> context{EVP_MD_CTX_new()};
};

Sha256::Sha256() : implementation_(std::make_unique<Implementation>()) {
  EVP_MD_CTX* context = implementation_->context.get();
  check(context != nullptr && EVP_DigestInit_ex(context, EVP_sha256(), nullptr) == 1);
}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::add(const void* data, std::size_t bytes) {
  check(EVP_DigestUpdate(implementation_->context.get(), data, bytes) == 1);
}

std::string Sha256::hexadecimal() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int length = 0;
  check(EVP_DigestFinal_ex(implementation_->context.get(), digest.data(), &length) == 1);
  return hexadecimal_digits({digest.data(), length});
}

std::string sha256_hex(std::string_view bytes) {
  Sha256 sha256;
  sha256.add(bytes.data(), bytes.size());
  return sha256.hexadecimal();
}

FileDigest digest_file(const std::filesystem::path& path) {
  InputFile file(path);
  Sha256 sha256;
  FileDigest digest;
  std::vector<char> block(kBlock);
  while (const std::size_t got = file.read(block)) {
    sha256.add(block.data(), got);
    digest.bytes += static_cast<std::int64_t>(got);
  }
  digest.sha256 = sha256.hexadecimal();
  return digest;
}

}  // namespace rim
