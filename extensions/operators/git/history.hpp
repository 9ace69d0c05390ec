// What happened to a source tree: its commits from new to old and the lines each one touched.
//
// Merge commits are listed but touch nothing (their changes are those of the commits they
// bring). At the edge of a shallow clone, parents are missing; such a commit touches nothing,
// since what it changed cannot be told from what it found.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "actors/orchestration/operator.hpp"
#include "extensions/operators/git/repository.hpp"

namespace symphony::extensions::git {

// Commits that change more files than this are imports and sweeping rewrites: their files are
// left out of the changes, and `bulk` is set.
inline constexpr std::size_t kMaxFilesPerCommit = 5'000;
// Renames are looked for in commits with at most this many candidates (libgit2 compares each
// with each).
inline constexpr std::size_t kMaxRenameCandidates = 200;
// Larger files count as binary: changed, without lines.
inline constexpr std::int64_t kMaxDiffedBytes = 1 << 20;
inline constexpr std::int64_t kMaxCommitsLimit = 1'000'000;

// Paths are raw bytes relative to the asked directory.
struct FileChange {
  std::string path;
  std::string old_path;  // set when the commit renamed the file
  std::uint32_t added = 0;
  std::uint32_t removed = 0;
  bool deleted = false;
};

struct Commit {
  git_oid id{};
  std::int64_t time_s = 0;  // when it was committed
  Person author;
  std::string summary;
  bool merge = false;
  bool boundary = false;  // parents are missing (shallow clone)
  bool bulk = false;
  std::vector<FileChange> changes;  // by path
};

struct HistoryOptions {
  std::int64_t max_commits = 5'000;
  std::int64_t since_s = INT64_MIN;  // commits before this are not visited
  bool with_changes = true;
  bool with_lines = true;  // count lines; without, only which files changed (much faster)
};

struct HistoryEnd {
  std::int64_t commits = 0;
  bool truncated = false;  // there was more than max_commits
};

// Calls `visit` for each commit that HEAD reaches, from new to old (commit time, then id), on
// the calling thread. Diffs are made on `context.cores()` threads in batches, so memory is
// bounded by a batch and 20 bytes a commit. Errc::CANCELLED when the context says so.
Result<HistoryEnd> walk_history(const Repository& repository, const HistoryOptions& options,
                                actors::OperatorContext& context,
                                const std::function<void(Commit&&)>& visit);

}  // namespace symphony::extensions::git
