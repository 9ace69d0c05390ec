// Who wrote the lines of a file as it lies in the work tree, and when: what `git blame` says.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "extensions/operators/git/repository.hpp"

namespace symphony::extensions::git {

// Files with more bytes are not blamed: the cost grows with size times history.
inline constexpr std::int64_t kMaxBlamedBytes = 2 << 20;
// Of more lines than this the whole file is blamed: git takes each range as an argument.
inline constexpr std::size_t kMaxBlamedRanges = 1'000;

struct LineOrigin {
  std::string commit;  // id
  std::int64_t time_s = 0;
  Person author;
  bool at_least = false;  // the search ended here: the line may be older
};

struct FileBlame {
  // For line i + 1 of the work tree. Several lines share an origin: indexes into `origins`,
  // kUncommitted, or kNotAsked.
  std::vector<std::uint32_t> line_origin;
  std::vector<LineOrigin> origins;
};
inline constexpr std::uint32_t kUncommitted = UINT32_MAX;
inline constexpr std::uint32_t kNotAsked = UINT32_MAX - 1;

// `path` is raw bytes relative to the root of the work tree. `lines` (from 1 on, any order) are
// what to find out; empty: all. `oldest_commit`, unless empty, ends the search. The error says in
// git's words why the file cannot be blamed; CANCELLED when it was.
Result<FileBlame> blame_file(const Repository& repository, const std::string& path,
                             std::vector<std::int64_t> lines, const std::string& oldest_commit);

// Output of `git blame --incremental`, for a file of so many lines at least. Pure.
FileBlame parse_blame(std::string_view text, std::size_t lines);

}  // namespace symphony::extensions::git
