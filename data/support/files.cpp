#include "data/support/files.h"

#include <cerrno>
#include <fstream>
#include <sstream>
#include <system_error>

#include "data/support/error.h"
#include "data/support/file_descriptor.h"

namespace rim {
namespace {

std::string system_reason() { return std::generic_category().message(errno); }

[[noreturn]] void refuse_write(const std::filesystem::path& path, const std::string& what) {
  throw Error(ExitCode::input_output, path.string() + ": " + what + ": " + system_reason());
}

void replace_file(const std::filesystem::path& path, std::string_view content, bool synced) {
  std::filesystem::path temporary = path;
  temporary += ".partial";
  FileDescriptor file(temporary, O_WRONLY | O_CREAT | O_TRUNC);
  if (file.value() < 0) refuse_write(temporary, "cannot be created");
  try {
    if (!file.write(content) || (synced && ::fsync(file.value()) != 0) || !file.close()) {
      refuse_write(temporary, "cannot be written");
    }
    if (::rename(temporary.c_str(), path.c_str()) != 0) refuse_write(path, "cannot be replaced");
  } catch (const Error&) {
    ::unlink(temporary.c_str());  // half a file would hold space that is wanted
    throw;
  }
}

}  // namespace

std::string read_text_file(const std::filesystem::path& path) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) {
    throw Error(ExitCode::no_input, path.string() + ": is a folder, a file is needed");
  }
  errno = 0;
  std::ifstream stream(path, std::ios::binary);
  if (!stream) throw Error(ExitCode::no_input, path.string() + ": cannot be read: " + system_reason());
  std::ostringstream text;
  text << stream.rdbuf();
  if (stream.bad()) throw Error(ExitCode::no_input, path.string() + ": cannot be read: " + system_reason());
  return std::move(text).str();
}

void refuse_git_lfs_pointer(std::string_view content, const std::string& origin) {
  if (!content.starts_with("version https://git-lfs.github.com/spec/")) return;
  throw Error(ExitCode::bad_data, origin + ": is a Git LFS pointer, not the file: run git lfs pull");
}

void write_file_atomically(const std::filesystem::path& path, std::string_view content) {
  replace_file(path, content, /*synced=*/true);
  sync_path(path.has_parent_path() ? path.parent_path() : ".");
}

void write_file_unsynced(const std::filesystem::path& path, std::string_view content) {
  replace_file(path, content, /*synced=*/false);
}

void sync_path(const std::filesystem::path& path) {
  const FileDescriptor file(path, O_RDONLY);
  if (file.value() < 0 || ::fsync(file.value()) != 0) refuse_write(path, "cannot be synced to disk");
}

void require_writable_folder(const std::filesystem::path& folder) {
  std::error_code failure;
  std::filesystem::create_directories(folder, failure);
  if (failure) {
    throw Error(ExitCode::input_output, folder.string() + ": cannot be created: " + failure.message());
  }
  const std::filesystem::path trial = folder / (".rimscope-write-test-" + std::to_string(::getpid()));
  {
    const FileDescriptor file(trial, O_WRONLY | O_CREAT | O_TRUNC);
    if (file.value() < 0) refuse_write(folder, "cannot be written into");
  }
  std::filesystem::remove(trial, failure);
}

}  // namespace rim
