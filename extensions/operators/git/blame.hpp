// Who wrote the lines of a file as it lies in the work tree, and when.
//
// libgit2 blames the committed file; lines of the work tree are mapped onto it by a diff, so that
// the line numbers of a changed file still find their commit. A line that was never committed
// has no origin.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "extensions/operators/git/repository.hpp"

namespace symphony::extensions::git {

// Files with more bytes are not blamed: the cost grows with size times history.
inline constexpr std::int64_t kMaxBlamedBytes = 2 << 20;

struct LineOrigin {
  std::int64_t time_s = 0;
  std::string author;  // name
};

struct FileBlame {
  // For line i + 1 of the work tree. Several lines share an origin: indexes into `origins`, or
  // kUncommitted.
  std::vector<std::uint32_t> line_origin;
  std::vector<LineOrigin> origins;
};
inline constexpr std::uint32_t kUncommitted = UINT32_MAX;

// `path` is raw bytes relative to the root of the work tree. Nothing when the file is not in
// HEAD, binary or too large. `oldest_commit` bounds the search: lines from before count as its.
std::optional<FileBlame> blame_file(const Repository& repository, const std::string& path,
                                    const std::optional<git_oid>& oldest_commit);

}  // namespace symphony::extensions::git
