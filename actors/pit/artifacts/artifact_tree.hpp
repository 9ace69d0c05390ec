// A tree: content that lists a directory, so that one version of a name is a whole directory.
//
// Format: "symtree" 0x01, u64 number of entries, then each entry in the order of their paths as
// bytes: text path (relative, "/" between components, bytes as the file system has them), u8 kind,
// u32 permission bits (07777), and
//   file      u64 size, digest of its content
//   symlink   text target, as it is: never followed
//   directory nothing
// Integers big-endian, text a 4-byte length and bytes. Nothing else of a directory is kept (owner,
// times), so that equal directories have equal trees.
//
// A decoded tree is safe to restore: paths are relative, without "." and "..", in strict order, and
// the parents of every entry are directories of the tree. Thread-safe: pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "actors/pit/artifacts/digest.hpp"
#include "messages/result.hpp"

namespace symphony::actors {

inline constexpr std::string_view kTreeMediaType = "application/vnd.symphony.tree";
inline constexpr std::size_t kMaxTreeEntries = std::size_t{1} << 21;
inline constexpr std::size_t kMaxTreeBytes = std::size_t{1} << 30;  // of the listing

enum class TreeEntryKind : std::uint8_t { file = 0, symlink = 1, directory = 2 };

struct TreeEntry {
  std::string path;
  TreeEntryKind kind = TreeEntryKind::file;
  std::uint32_t mode = 0;
  std::uint64_t size_bytes = 0;  // file
  Digest digest = {};            // file
  std::string target = {};       // symlink

  friend bool operator==(const TreeEntry&, const TreeEntry&) = default;
};

// REQUIRES: what `decode_tree` promises of its result.
std::string encode_tree(const std::vector<TreeEntry>& entries);

// Errors: DATA_CORRUPT.
Result<std::vector<TreeEntry>> decode_tree(std::string_view bytes);

}  // namespace symphony::actors
