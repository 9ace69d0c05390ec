// Small promises about files that the standard library does not make. Thread-safe.
//
// An error is never read as "there is nothing": only ENOENT and ENOTDIR say that. Who asks with
// std::filesystem::exists(path, error) and looks at the answer alone takes one failing disk for an
// empty one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "messages/result.hpp"
#include "runtime/system/system_error.hpp"

namespace symphony::runtime {

// Whether there is something at `path`, and whether that is a directory, through symbolic links.
// Fails when the system cannot tell.
Result<bool> path_exists(const std::filesystem::path& path);
Result<bool> directory_exists(const std::filesystem::path& path);

struct FilePrefix {
  std::uint64_t size_bytes = 0;  // of the whole file
  bool truncated = false;        // there is more than was read
};

// Reads at most `bytes_max` bytes of a regular file into `content`, replacing what it holds, so
// that a buffer can be used again. Never waits for a pipe or a device: those and directories are
// refused with invalidArgument. Errors name the file, unless `named` is false: some callers say it
// themselves.
Result<FilePrefix> read_prefix(const std::filesystem::path& path, std::size_t bytes_max,
                               std::string& content, bool named = true);

// All of a regular file. Fails with resourceExhausted when it holds more than `bytes_max`.
Result<std::string> read_file(const std::filesystem::path& path, std::size_t bytes_max);

// Gives `from` the name `to`, and fails with alreadyExists when something has that name: rename()
// would replace it.
Status rename_new(const std::filesystem::path& from, const std::filesystem::path& to);

// Makes durable which names a directory holds: after a file was created, renamed or removed there.
Status sync_directory(const std::filesystem::path& path);

// Makes sure that `path` is a directory of ours that nobody else may enter: creates it (mode 0700)
// where it is missing; fails with permissionDenied when it is a link, belongs to another user, or
// is open to others. Its parent must exist.
Status ensure_private_directory(const std::filesystem::path& path);

// Creates `path` and what is missing above it, each with `mode` less the umask, durable once it
// returns. Directories that exist stay as they are.
Status create_directories(const std::filesystem::path& path, unsigned mode);

}  // namespace symphony::runtime
