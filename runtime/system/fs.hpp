// Small promises about files that the standard library does not make.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "messages/result.hpp"

namespace symphony::runtime {

// An Error for a failed system call: the code that fits `error_number`, and a sentence
// "cannot <what> <path>: <reason>".
Error system_error(std::string_view what, const std::filesystem::path& path, int error_number);

// The bytes of a regular file. Fails with resourceExhausted when it holds more than `bytes_max`.
Result<std::string> read_file(const std::filesystem::path& path, std::size_t bytes_max);

// Replaces the contents of `path` so that at every moment, through a crash or power loss too, it
// holds either all of the old or all of the new bytes; once it returns, the new ones are durable
// (write beside it, fsync, rename, fsync of the directory). A new file gets `mode`.
Status atomic_write(const std::filesystem::path& path, std::string_view bytes,
                    unsigned mode = 0644);

// Makes sure that `path` is a directory of ours that nobody else may enter: creates it (mode 0700)
// where it is missing; fails with permissionDenied when it is a link, belongs to another user, or
// is open to others. Its parent must exist.
Status ensure_private_directory(const std::filesystem::path& path);

// Creates `path` and what is missing above it, each with mode 0700: data is nobody else's. Durable
// once it returns. Directories that exist stay as they are.
Status create_private_directories(const std::filesystem::path& path);

// A fresh directory, removed with all it holds.
class TempDir {
 public:
  // In $TMPDIR or /tmp.
  static Result<TempDir> make(std::string_view prefix = "symphony");

  TempDir(TempDir&& other) noexcept;
  TempDir& operator=(TempDir&& other) noexcept;
  ~TempDir();

  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

 private:
  explicit TempDir(std::filesystem::path path) : path_(std::move(path)) {}
  void remove() noexcept;

  std::filesystem::path path_;
};

}  // namespace symphony::runtime
