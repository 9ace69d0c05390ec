// Reading and describing files for operators: raw paths in, errors in words out. Thread-safe.
#pragma once

#include <sys/stat.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "messages/result.hpp"

namespace symphony::extensions {

// A file descriptor that closes itself.
class FileHandle {
 public:
  FileHandle() = default;
  explicit FileHandle(int fd) noexcept : fd_(fd) {}
  FileHandle(FileHandle&& other) noexcept : fd_(other.release()) {}
  FileHandle& operator=(FileHandle&& other) noexcept;
  FileHandle(const FileHandle&) = delete;
  FileHandle& operator=(const FileHandle&) = delete;
  ~FileHandle() { reset(); }

  int get() const noexcept { return fd_; }
  explicit operator bool() const noexcept { return fd_ >= 0; }
  int release() noexcept {
    const int fd = fd_;
    fd_ = -1;
    return fd;
  }
  void reset() noexcept;

 private:
  int fd_ = -1;
};

// "cannot open 'a/b': Permission denied", with the code that fits `error_number`.
Error system_error(int error_number, std::string_view action, std::string_view raw_path);
// "Permission denied": only the reason.
std::string reason_of(int error_number);

struct FilePrefix {
  std::uint64_t size_bytes = 0;  // of the whole file
  bool truncated = false;        // there is more than was read
};

// Reads at most `max_bytes` of a regular file into `content` (replacing what it holds, so that a
// buffer can be reused). Never blocks on a pipe or device: those are refused with
// Errc::FAILED_PRECONDITION, as are directories.
Result<FilePrefix> read_file(const std::string& raw_path, std::size_t max_bytes,
                             std::string& content);

// A zero byte in the first 8000 bytes, as git decides.
bool looks_binary(std::string_view content) noexcept;

// "file", "directory", "symlink", "fifo", "socket", "device".
std::string_view file_type(mode_t mode) noexcept;
// Permission bits as "0644".
std::string mode_text(mode_t mode);

// Replaces `raw_path` by a file with `content`, all or nothing: written beside it, synced, renamed,
// directory synced. A symbolic link is followed. Refuses directories and special files.
Status write_file_atomically(const std::string& raw_path, std::string_view content,
                             bool create_directories);

// Standard base64 with padding.
std::string to_base64(std::string_view bytes);
Result<std::string> from_base64(std::string_view text);

}  // namespace symphony::extensions
