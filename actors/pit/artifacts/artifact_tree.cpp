#include "actors/pit/artifacts/artifact_tree.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "runtime/storage/bytes.hpp"

namespace symphony::actors {

namespace {

using runtime::RecordReader;
using runtime::RecordWriter;

constexpr std::string_view kMagic{"symtree\x01", 8};
constexpr std::size_t kMinEntryBytes = 4 + 1 + 1 + 4;
constexpr std::uint32_t kPermissionBits = 07777;

Error corrupt(std::string_view why) {
  return {.code = Errc::DATA_CORRUPT,
          .message = fmt::format("this is not a tree that can be read: {}", why)};
}

bool is_plain_relative(std::string_view path) {
  if (path.empty() || path.find('\0') != std::string_view::npos) return false;
  while (true) {
    const auto slash = path.find('/');
    const auto component = path.substr(0, slash);
    if (component.empty() || component == "." || component == "..") return false;
    if (slash == std::string_view::npos) return true;
    path.remove_prefix(slash + 1);
  }
}

TreeEntry read_entry(RecordReader& reader) {
  TreeEntry entry{.path = std::string(reader.text())};
  entry.kind = static_cast<TreeEntryKind>(reader.u8());
  entry.mode = reader.u32();
  if (entry.kind == TreeEntryKind::file) {
    entry.size_bytes = reader.u64();
    entry.digest = Digest::from_bytes(reader.bytes(Digest::kBytes)).value_or(Digest{});
  } else if (entry.kind == TreeEntryKind::symlink) {
    entry.target = reader.text();
  }
  return entry;
}

// Whether the directory that holds `path` was listed. Byte order puts a directory before what is
// in it, but other entries may come between ("a", "a-b", "a/c"): search.
bool has_parent(const std::vector<TreeEntry>& sorted, std::string_view path) {
  const auto slash = path.rfind('/');
  if (slash == std::string_view::npos) return true;
  const auto parent = path.substr(0, slash);
  const auto found = std::lower_bound(
      sorted.begin(), sorted.end(), parent,
      [](const TreeEntry& entry, std::string_view wanted) { return entry.path < wanted; });
  return found != sorted.end() && found->path == parent && found->kind == TreeEntryKind::directory;
}

}  // namespace

std::string encode_tree(const std::vector<TreeEntry>& entries) {
  RecordWriter writer;
  writer.bytes(kMagic).u64(entries.size());
  for (const auto& entry : entries) {
    writer.text(entry.path).u8(static_cast<std::uint8_t>(entry.kind)).u32(entry.mode);
    if (entry.kind == TreeEntryKind::file) {
      writer.u64(entry.size_bytes).bytes(entry.digest.view());
    } else if (entry.kind == TreeEntryKind::symlink) {
      writer.text(entry.target);
    }
  }
  return std::move(writer).str();
}

Result<std::vector<TreeEntry>> decode_tree(std::string_view bytes) {
  RecordReader reader(bytes);
  if (reader.bytes(kMagic.size()) != kMagic) return corrupt("it does not start as one");
  const auto count = reader.u64();
  if (!reader.ok() || count > kMaxTreeEntries || count > bytes.size() / kMinEntryBytes) {
    return corrupt("its number of entries cannot be right");
  }
  std::vector<TreeEntry> entries;
  entries.reserve(count);
  for (std::uint64_t i = 0; i < count; ++i) {
    auto entry = read_entry(reader);
    if (!reader.ok()) return corrupt("it is cut short");
    if (entry.kind > TreeEntryKind::directory || entry.mode > kPermissionBits) {
      return corrupt(fmt::format("entry {} has an unknown kind or mode", i + 1));
    }
    if (!is_plain_relative(entry.path) || !has_parent(entries, entry.path)) {
      return corrupt(fmt::format("the path of entry {} leads outside the tree", i + 1));
    }
    if (!entries.empty() && entries.back().path >= entry.path) {
      return corrupt(fmt::format("entry {} is out of order", i + 1));
    }
    if (entry.kind == TreeEntryKind::symlink &&
        (entry.target.empty() || entry.target.find('\0') != std::string::npos)) {
      return corrupt(fmt::format("entry {} is a symlink to nothing", i + 1));
    }
    entries.push_back(std::move(entry));
  }
  if (!reader.complete()) return corrupt("something follows its last entry");
  return entries;
}

}  // namespace symphony::actors
