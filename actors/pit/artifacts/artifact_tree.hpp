// A tree: content that lists a directory, so that one version of a name is a whole directory.
//
// Format: "symtree" 0x02, u64 number of entries, then each entry in the order of their paths as
// bytes: text path (relative, "/" between components, bytes as the file system has them), u8 kind,
// u32 permission bits (07777), u8 flags (1: time known, 2: sparse); when the time is known i64
// seconds since 1970 and u32 nanoseconds of the latest change; and
//   file      u64 size, digest of its content
//   symlink   text target, as it is: never followed
//   directory nothing
//   hard link text path of a file entry before it, whose content, mode and time it shares
// Integers big-endian, text a 4-byte length and bytes. "symtree" 0x01 has neither flags, times nor
// hard links, and is still read. Owners and extended attributes are not kept.
//
// A decoded tree is safe to restore: paths are relative, without "." and "..", in strict order, the
// parents of every entry are directories of the tree, and hard links lead to its files.
// Thread-safe: pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "messages/result.hpp"
#include "runtime/system/sha256.hpp"

namespace symphony::actors {

using runtime::Digest;

inline constexpr std::string_view kTreeMediaType = "application/vnd.symphony.tree";
inline constexpr std::size_t kMaxTreeEntries = std::size_t{1} << 21;
inline constexpr std::size_t kMaxTreeBytes = std::size_t{1} << 30;  // of the listing

// The longest path of an entry, and the longest target of a symlink: what Linux opens at once.
inline constexpr std::size_t kMaxTreePathBytes = 4095;

enum class TreeEntryKind : std::uint8_t { file = 0, symlink = 1, directory = 2, hard_link = 3 };

// A point in time as file systems keep it: beyond what 64 bits of nanoseconds hold.
struct FileTime {
  std::int64_t seconds = 0;  // since 1970, UTC
  std::uint32_t nanoseconds = 0;

  friend bool operator==(const FileTime&, const FileTime&) = default;
};

struct TreeEntry {
  std::string path;
  TreeEntryKind kind = TreeEntryKind::file;
  std::uint32_t mode = 0;
  std::uint64_t size_bytes = 0;  // file
  Digest digest = {};            // file
  std::string target = {};       // symlink; hard link: path of the file
  std::optional<FileTime> modified = {};
  bool sparse = false;  // file: it has holes

  friend bool operator==(const TreeEntry&, const TreeEntry&) = default;
};

// REQUIRES: what `decode_tree` promises of its result.
std::string encode_tree(const std::vector<TreeEntry>& entries);

// Errors: DATA_CORRUPT.
Result<std::vector<TreeEntry>> decode_tree(std::string_view bytes);

// Whether a content that begins so claims to be a tree; kTreeHeadBytes of it are enough.
inline constexpr std::size_t kTreeHeadBytes = 8;
bool looks_like_tree(std::string_view head);

}  // namespace symphony::actors
