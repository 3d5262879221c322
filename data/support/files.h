// Reading and writing files whole, with errors that name the path and the system's reason.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace rim {

// The file's bytes. Throws Error(no_input).
std::string read_text_file(const std::filesystem::path& path);

// Throws Error(bad_data) where `content` is the pointer that Git LFS leaves in place of a file it did not fetch.
void refuse_git_lfs_pointer(std::string_view content, const std::string& origin);

// Writes through a temporary file beside `path`, fsync, rename and fsync of the folder: after a crash the old or the
// new content is there, whole. Throws Error(input_output).
void write_file_atomically(const std::filesystem::path& path, std::string_view content);

// The same without waiting for the disk: readers see the old or the new content, whole; after a crash of the machine
// neither may be there. For what is written often and is worth nothing then. Throws Error(input_output).
void write_file_unsynced(const std::filesystem::path& path, std::string_view content);

// fsync of a file or folder. Throws Error(input_output).
void sync_path(const std::filesystem::path& path);

// Creates the folder and its parents and proves that a file can be written into it. Throws Error(input_output).
void require_writable_folder(const std::filesystem::path& folder);

}  // namespace rim
