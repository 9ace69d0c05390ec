// What happened to a source tree: its commits from new to old and the lines each one touched.
//
// Merge commits are listed but touch nothing (their changes are those of the commits they bring).
// At the edge of a shallow clone, parents are missing; such a commit touches nothing, since what it
// changed cannot be told from what it found.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "actors/orchestration/operator.hpp"
#include "extensions/operators/git/log_text.hpp"
#include "extensions/operators/git/repository.hpp"

namespace symphony::extensions::git {

// Commits that change more files than this are imports and sweeping rewrites: their files are
// left out of the changes, and `bulk` is set.
inline constexpr std::size_t kMaxFilesPerCommit = 5'000;
inline constexpr std::int64_t kMaxCommitsLimit = 1'000'000;

struct HistoryOptions {
  std::int64_t max_commits = 5'000;
  std::int64_t since_s = INT64_MIN;  // older commits are left out
  bool with_changes = true;
  bool with_lines = true;  // count lines; without, only which files changed (much faster)
};

struct HistoryEnd {
  std::int64_t commits = 0;
  bool truncated = false;  // there is more than max_commits
  // A partial clone lacks what this history needs: the walk ended early, and what was visited is
  // not to be used. Without lines (or without changes) less is needed.
  bool lacks_objects = false;
  std::int64_t unread = 0;  // commits whose changes cannot be read
  std::string note;         // what is missing, and why, for people
};

// Calls `visit` for each commit that HEAD reaches, in the order of `git log`, on the calling
// thread. Paths are relative to the asked directory. Changes are read by `context.cores()` gits at
// once, a window of commits at a time, so memory is bounded by a window and by some 200 bytes a
// commit. Errc::CANCELLED when the context says so.
Result<HistoryEnd> walk_history(const Repository& repository, const HistoryOptions& options,
                                actors::OperatorContext& context,
                                const std::function<void(Commit&&)>& visit);

}  // namespace symphony::extensions::git
