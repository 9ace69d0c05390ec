// Reads a directory for a tree, without following a symlink anywhere below it.
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "actors/pit/artifacts/artifact_tree.hpp"
#include "messages/result.hpp"
#include "runtime/system/descriptor.hpp"

namespace symphony::actors {

inline constexpr std::size_t kMaxTreeDepth = 512;

// Something that is not in the tree, and why: unreadable, too long a path, or neither file,
// directory nor symlink.
struct SkippedEntry {
  std::string path;
  std::string reason;
};

// Opens `path` below the directory `root`; fails with ELOOP or EXDEV where a symlink stands in the
// way. Invalid with errno set on failure. Thread-safe.
runtime::Descriptor open_beneath(int root, const std::string& path, int flags);

struct TreeWalkOptions {
  // A directory that is left out with all it holds, by what stat(2) says of it: the store itself.
  std::optional<std::pair<dev_t, ino_t>> leave_out = {};
  // Told each thing that is left out; its error ends the walk.
  std::function<Status(const SkippedEntry&)> skipped = [](const SkippedEntry&) { return Status(); };
};

// What a tree does not keep, to be told once.
struct NotKept {
  std::uint64_t foreign_owners = 0;       // things that belong to another user than this process
  std::uint64_t extended_attributes = 0;  // things that have some
};

struct TreeListing {
  // Sorted by path. Files have their size but no digest yet; of several hard links to one file
  // the first is the file, the others lead to it.
  std::vector<TreeEntry> entries;
  NotKept not_kept;       // of files only owners: attributes are seen when they are opened
  bool left_out = false;  // the directory to be left out was met
};

// Everything below `root`.
// Errors: RESOURCE_EXHAUSTED (more than kMaxTreeEntries), what `skipped` returns.
Result<TreeListing> walk_tree(int root, const TreeWalkOptions& options = {});

// A regular file that is read as it was when it was opened: never beyond the size it had then, and
// with a word when it has changed since. One thread at a time.
class FileReading {
 public:
  // Errors: as the system gives them; FAILED_PRECONDITION when it is no regular file.
  static Result<FileReading> open(int root, const std::string& path);
  // Of what is open already, from its beginning.
  static Result<FileReading> of(runtime::Descriptor opened);

  std::uint64_t size_bytes() const { return static_cast<std::uint64_t>(opened_.st_size); }
  FileTime modified() const;
  std::uint32_t mode() const;
  bool sparse() const { return sparse_; }
  bool has_attributes() const { return attributes_; }

  // Fills `buffer` with what comes next, less at the end; nothing: that was all.
  Result<std::size_t> read(char* buffer, std::size_t size);
  // From the beginning again, still as it was when it was opened.
  Status rewind();
  // From the beginning again, as it is now.
  Status again();
  // Whether everything that was read is what the file held at one moment.
  Result<bool> unchanged() const;

 private:
  FileReading(runtime::Descriptor file) : file_(std::move(file)) {}

  runtime::Descriptor file_;
  struct stat opened_ {};
  std::uint64_t read_ = 0;
  bool cut_short_ = false;
  bool sparse_ = false;
  bool attributes_ = false;
};

}  // namespace symphony::actors
