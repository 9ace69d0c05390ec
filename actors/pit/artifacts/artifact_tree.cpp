#include "actors/pit/artifacts/artifact_tree.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "runtime/storage/bytes.hpp"

namespace symphony::actors {

namespace {

using runtime::RecordReader;
using runtime::RecordWriter;

constexpr std::string_view kMagicWithoutTimes{"symtree\x01", kTreeHeadBytes};
constexpr std::string_view kMagic{"symtree\x02", kTreeHeadBytes};
constexpr std::uint8_t kTimeKnown = 1;
constexpr std::uint8_t kSparse = 2;
constexpr std::uint32_t kNanosecondsMax = 999'999'999;
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

struct ReadEntry {
  TreeEntry entry;
  std::uint8_t flags = 0;
};

ReadEntry read_entry(RecordReader& reader, bool with_flags) {
  ReadEntry read{.entry = {.path = std::string(reader.text())}};
  auto& entry = read.entry;
  entry.kind = static_cast<TreeEntryKind>(reader.u8());
  entry.mode = reader.u32();
  if (with_flags) read.flags = reader.u8();
  entry.sparse = (read.flags & kSparse) != 0;
  if ((read.flags & kTimeKnown) != 0) {
    const auto seconds = static_cast<std::int64_t>(reader.u64());
    entry.modified = FileTime{seconds, reader.u32()};
  }
  if (entry.kind == TreeEntryKind::file) {
    entry.size_bytes = reader.u64();
    entry.digest = Digest::from_bytes(reader.bytes(Digest::kBytes)).value_or(Digest{});
  } else if (entry.kind != TreeEntryKind::directory) {
    entry.target = reader.text();
  }
  return read;
}

// Whether `path` was listed as a `kind`.
bool has(const std::vector<TreeEntry>& sorted, std::string_view path, TreeEntryKind kind) {
  const auto found = std::lower_bound(
      sorted.begin(), sorted.end(), path,
      [](const TreeEntry& entry, std::string_view wanted) { return entry.path < wanted; });
  return found != sorted.end() && found->path == path && found->kind == kind;
}

// Whether the directory that holds `path` was listed. Byte order puts a directory before what is
// in it, but other entries may come between ("a", "a-b", "a/c"): search.
bool has_parent(const std::vector<TreeEntry>& sorted, std::string_view path) {
  const auto slash = path.rfind('/');
  return slash == std::string_view::npos ||
         has(sorted, path.substr(0, slash), TreeEntryKind::directory);
}

}  // namespace

std::string encode_tree(const std::vector<TreeEntry>& entries) {
  RecordWriter writer;
  writer.bytes(kMagic).u64(entries.size());
  for (const auto& entry : entries) {
    writer.text(entry.path).u8(static_cast<std::uint8_t>(entry.kind)).u32(entry.mode);
    writer.u8(static_cast<std::uint8_t>((entry.modified ? kTimeKnown : 0) |
                                        (entry.sparse ? kSparse : 0)));
    if (entry.modified) {
      writer.u64(static_cast<std::uint64_t>(entry.modified->seconds));
      writer.u32(entry.modified->nanoseconds);
    }
    if (entry.kind == TreeEntryKind::file) {
      writer.u64(entry.size_bytes).bytes(entry.digest.view());
    } else if (entry.kind != TreeEntryKind::directory) {
      writer.text(entry.target);
    }
  }
  return std::move(writer).str();
}

Result<std::vector<TreeEntry>> decode_tree(std::string_view bytes) {
  RecordReader reader(bytes);
  const auto magic = reader.bytes(kMagic.size());
  if (!looks_like_tree(magic)) return corrupt("it does not start as one");
  const auto count = reader.u64();
  if (!reader.ok() || count > kMaxTreeEntries || count > bytes.size() / kMinEntryBytes) {
    return corrupt("its number of entries cannot be right");
  }
  std::vector<TreeEntry> entries;
  entries.reserve(count);
  for (std::uint64_t i = 0; i < count; ++i) {
    auto [entry, flags] = read_entry(reader, magic == kMagic);
    if (!reader.ok()) return corrupt("it is cut short");
    if (entry.kind > TreeEntryKind::hard_link || entry.mode > kPermissionBits ||
        flags > (kTimeKnown | kSparse)) {
      return corrupt(fmt::format("entry {} has an unknown kind, mode or flag", i + 1));
    }
    if (entry.modified && entry.modified->nanoseconds > kNanosecondsMax) {
      return corrupt(fmt::format("entry {} has a time that cannot be right", i + 1));
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
    if (entry.kind == TreeEntryKind::hard_link &&
        !has(entries, entry.target, TreeEntryKind::file)) {
      return corrupt(fmt::format("entry {} is a hard link to no file of the tree", i + 1));
    }
    entries.push_back(std::move(entry));
  }
  if (!reader.complete()) return corrupt("something follows its last entry");
  return entries;
}

bool looks_like_tree(std::string_view head) {
  return head.starts_with(kMagic) || head.starts_with(kMagicWithoutTimes);
}

}  // namespace symphony::actors
