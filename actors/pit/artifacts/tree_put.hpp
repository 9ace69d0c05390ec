// Stores a whole directory as one version of a name, and restores it.
//
// Files are read, hashed and compressed on `threads` threads and written in batches of bounded
// size while the next ones are being prepared. The tree is written when every file is durable, and
// the version when the tree is: until then the name is as it was, and a put that is cut short at
// any moment leaves content that nobody refers to, which the next put of the same directory finds.
// Memory: batches under way, one part per thread, and the list of entries.
//
// Both block on files and storage: call them from a thread that may.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "actors/pit/artifacts/artifact_store.hpp"
#include "actors/pit/artifacts/artifact_tree.hpp"
#include "actors/pit/artifacts/tree_walk.hpp"

namespace symphony::actors {

struct TreeProgress {
  std::uint64_t files_done = 0;
  std::uint64_t files_total = 0;
  std::uint64_t bytes_done = 0;
};

struct TreePutOptions {
  static constexpr std::size_t kMaxBatchBytes = std::size_t{16} << 20;
  static constexpr std::size_t kMaxBatchFiles = 1000;
  static constexpr std::size_t kMaxBatchesUnderWay = 2;
  static constexpr std::size_t kMaxReportedSkips = 1000;

  // Name, source, metadata, lineage and time of the version; kind, digest and sizes are filled in.
  // With an empty name the tree is stored without a version.
  VersionDraft version;
  int threads = 1;
  // Asked for each thing that is left out; false ends the put with FAILED_PRECONDITION. Not called
  // by two threads at once.
  std::function<bool(const SkippedEntry&)> on_skipped = {};
  // Told after each file; may be called from any of the threads, one at a time.
  std::function<void(const TreeProgress&)> on_progress = {};
  // Asked before each file, from any thread; true ends the put with CANCELLED.
  std::function<bool()> cancelled = {};
};

struct TreePut {
  Digest digest;                         // of the tree
  std::optional<VersionRecord> version;  // when a name was given
  std::uint64_t files = 0;
  std::uint64_t directories = 0;
  std::uint64_t symlinks = 0;
  std::uint64_t size_bytes = 0;    // of all files
  std::uint64_t new_contents = 0;  // that were not in the store
  std::uint64_t new_stored_bytes = 0;
  std::uint64_t skipped_count = 0;
  std::vector<SkippedEntry> skipped;  // the first kMaxReportedSkips
};

// Errors: NOT_FOUND, INVALID_ARGUMENT (not a directory, bad name), PERMISSION_DENIED,
// FAILED_PRECONDITION (the caller did not accept a skip), CANCELLED, and those of writing.
Result<TreePut> put_tree(const ArtifactStore& store, runtime::StorageWriter& writer,
                         const std::filesystem::path& dir, TreePutOptions options);

// The entries of a stored tree. Errors: NOT_FOUND, DATA_CORRUPT, INVALID_ARGUMENT (not a tree).
Result<std::vector<TreeEntry>> load_tree(const ArtifactStore& store, const Digest& digest);

// Restores the tree in `dir`, which is created, or is empty: files, symlinks, permissions (without
// set-user, set-group and sticky bits). Errors: ALREADY_EXISTS (`dir` has something in it), those
// of reading, PERMISSION_DENIED, RESOURCE_EXHAUSTED; what was restored before an error stays.
Status materialise(const ArtifactStore& store, const Digest& tree,
                   const std::filesystem::path& dir);

}  // namespace symphony::actors
