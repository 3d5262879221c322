#include "launch/verbs/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <optional>

#include "data/support/file_descriptor.h"

namespace rim {
namespace {

std::string printed(const char* format, int precision, double value) {
  std::array<char, 400> buffer{};  // %f of the largest double has 309 digits before its point
  const int length = std::snprintf(buffer.data(), buffer.size(), format, precision, value);
  return {buffer.data(), static_cast<std::size_t>(length)};
}

// Open MPI gives its ranks a pipe for stderr and a terminal of its own for stdout, whatever mpirun's own are: ask
// those.
class Stream {
 public:
  explicit Stream(int descriptor) : descriptor_(descriptor) {
    if (std::getenv("OMPI_COMM_WORLD_RANK") == nullptr) return;
    const std::string launchers = "/proc/" + std::to_string(::getppid()) + "/fd/" + std::to_string(descriptor);
    opened_.emplace(launchers, O_WRONLY | O_NOCTTY | O_NONBLOCK);
    descriptor_ = opened_->value();
  }
  [[nodiscard]] int descriptor() const { return descriptor_; }  // -1: it cannot be asked

 private:
  int descriptor_;
  std::optional<FileDescriptor> opened_;
};

bool is_dumb() {
  const char* kind = std::getenv("TERM");
  return kind != nullptr && std::string_view(kind) == "dumb";
}

}  // namespace

bool is_terminal(int descriptor) { return !is_dumb() && ::isatty(Stream(descriptor).descriptor()) == 1; }

bool wants_colour(int descriptor) {
  const char* no_colour = std::getenv("NO_COLOR");
  return is_terminal(descriptor) && (no_colour == nullptr || *no_colour == '\0');
}

int terminal_width(int descriptor) {
  winsize size{};
  const Stream stream(descriptor);
  return ::ioctl(stream.descriptor(), TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

std::string printable(std::string_view text) {
  std::string clean;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const auto next = i + 1 < text.size() ? static_cast<unsigned char>(text[i + 1]) : 0;
    if (byte == 0xC2 && next >= 0x80 && next < 0xA0) {
      ++i;  // U+0080 to U+009F, the second set of control characters
    } else if ((byte >= 0x20 && byte != 0x7f) || byte == '\t') {
      clean += text[i];
    }
  }
  return clean;
}

std::string grouped(long long value) {
  std::string text = std::to_string(value);
  const std::size_t first = value < 0 ? 1 : 0;
  for (std::size_t at = text.size(); at > first + 3;) text.insert(at -= 3, 1, ',');
  return text;
}

std::string byte_text(double bytes) {
  constexpr std::array kUnits{"B", "KiB", "MiB", "GiB", "TiB"};
  std::size_t unit = 0;
  while (bytes >= 1024 && unit + 1 < kUnits.size()) {
    bytes /= 1024;
    ++unit;
  }
  return fixed_number(bytes, unit == 0 || bytes >= 100 ? 0 : 1) + " " + kUnits[unit];
}

std::string duration_text(double seconds) {
  if (!std::isfinite(seconds) || seconds < 0) return "?";
  const auto whole = static_cast<long long>(std::llround(seconds));
  const auto two = [](long long value) { return (value < 10 ? "0" : "") + std::to_string(value); };
  if (whole < 60) return std::to_string(whole) + " s";
  if (whole < 3600) return std::to_string(whole / 60) + " min " + two(whole % 60) + " s";
  return std::to_string(whole / 3600) + " h " + two(whole % 3600 / 60) + " min";
}

std::string short_number(double value, int significant_digits) { return printed("%.*g", significant_digits, value); }
std::string fixed_number(double value, int decimals) { return printed("%.*f", decimals, value); }

}  // namespace rim
