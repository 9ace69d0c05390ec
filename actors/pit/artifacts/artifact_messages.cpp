#include "actors/pit/artifacts/artifact_messages.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "actors/pit/text_view.hpp"

namespace symphony::actors {

Result<VersionDraft> read_draft(std::string_view name, std::string_view media_type,
                                messages::Lineage::Reader lineage) {
  VersionDraft draft;
  draft.name = name;
  draft.media_type = media_type;
  draft.source_run = lineage.getRun().cStr();
  draft.source_node = lineage.getNode().cStr();
  if (!name.empty()) {
    if (Status checked = check_name(name); !checked) {
      Error error = std::move(checked).error();
      error.field = "name";
      return error;
    }
  }
  const auto parents = lineage.getParents();
  if (parents.size() > kMaxLineage) {
    return Error{Errc::INVALID_ARGUMENT,
                 fmt::format("an artifact is made from at most {} others", kMaxLineage),
                 "lineage.parents"};
  }
  for (unsigned i = 0; i < parents.size(); ++i) {
    const auto digest = Digest::from_hex(view(parents[i]));
    if (!digest) {
      return Error{Errc::INVALID_ARGUMENT, "a digest is 64 lower-case hexadecimal digits",
                   fmt::format("lineage.parents[{}]", i)};
    }
    draft.lineage.push_back(*digest);
  }
  return draft;
}

void write_version(messages::ArtifactVersion::Builder out, const VersionRecord& record) {
  out.setName(record.name);
  out.setVersion(record.version);
  out.setDigest(record.digest.hex());
  out.setSizeBytes(record.size_bytes);
  out.setStoredBytes(record.stored_size_bytes);
  out.setMediaType(record.media_type);
  out.setCreatedNs(static_cast<std::int64_t>(record.created_ms) * 1'000'000);
  auto lineage = out.initLineage();
  lineage.setRun(record.source_run);
  lineage.setNode(record.source_node);
  auto parents = lineage.initParents(static_cast<unsigned>(record.lineage.size()));
  for (unsigned i = 0; i < parents.size(); ++i) parents.set(i, record.lineage[i].hex());
}

void write_content(messages::ArtifactVersion::Builder out, const ContentInfo& info) {
  out.setDigest(info.digest.hex());
  out.setSizeBytes(info.size_bytes);
  out.setStoredBytes(info.stored_size_bytes);
}

namespace {
constexpr std::uint32_t kTimeNotKnown = ~std::uint32_t{0};
}

Result<TreeEntry> read_entry(messages::TreeEntry::Reader entry, unsigned index) {
  const auto wrong = [&](std::string message, std::string_view field) {
    return Error{Errc::INVALID_ARGUMENT, std::move(message),
                 fmt::format("entries[{}].{}", index, field)};
  };
  const auto path = view(entry.getPath());
  const auto target = view(entry.getTarget());
  if (path.empty() || path.size() > kMaxTreePathBytes)
    return wrong(fmt::format("a path has 1 to {} bytes", kMaxTreePathBytes), "path");
  if (target.size() > kMaxTreePathBytes)
    return wrong(fmt::format("a target has at most {} bytes", kMaxTreePathBytes), "target");
  TreeEntry read;
  read.path = path;
  read.mode = entry.getMode();
  read.sparse = entry.getSparse();
  if (entry.getModifiedNs() != kTimeNotKnown)
    read.modified = FileTime{entry.getModifiedS(), entry.getModifiedNs()};
  switch (entry.getKind()) {
    case messages::TreeEntryKind::FILE: {
      const auto digest = Digest::from_hex(view(entry.getDigest()));
      if (!digest) return wrong("a digest is 64 lower-case hexadecimal digits", "digest");
      read.kind = TreeEntryKind::file;
      read.digest = *digest;
      read.size_bytes = entry.getSizeBytes();
      return read;
    }
    case messages::TreeEntryKind::DIRECTORY:
      read.kind = TreeEntryKind::directory;
      return read;
    case messages::TreeEntryKind::SYMLINK:
      read.kind = TreeEntryKind::symlink;
      read.target = target;
      return read;
    case messages::TreeEntryKind::HARD_LINK:
      read.kind = TreeEntryKind::hard_link;
      read.target = target;
      return read;
  }
  return wrong("an entry is a file, a directory, a symlink or a hard link", "kind");
}

void write_entry(messages::TreeEntry::Builder out, const TreeEntry& entry) {
  out.setPath(as_data(entry.path));
  out.setMode(entry.mode);
  out.setSparse(entry.sparse);
  if (entry.modified) {
    out.setModifiedS(entry.modified->seconds);
    out.setModifiedNs(entry.modified->nanoseconds);
  }
  switch (entry.kind) {
    case TreeEntryKind::file:
      out.setKind(messages::TreeEntryKind::FILE);
      out.setDigest(entry.digest.hex());
      out.setSizeBytes(entry.size_bytes);
      return;
    case TreeEntryKind::directory:
      return out.setKind(messages::TreeEntryKind::DIRECTORY);
    case TreeEntryKind::symlink:
      out.setKind(messages::TreeEntryKind::SYMLINK);
      return out.setTarget(as_data(entry.target));
    case TreeEntryKind::hard_link:
      out.setKind(messages::TreeEntryKind::HARD_LINK);
      return out.setTarget(as_data(entry.target));
  }
}

std::size_t page_of(const std::vector<TreeEntry>& entries, std::uint64_t first, std::uint32_t max) {
  constexpr std::size_t kEntryBytes = 128;  // a digest and what else has a fixed size
  if (first >= entries.size()) return 0;
  const std::uint64_t wanted = max == 0 ? kTreePageMax : std::min(max, kTreePageMax);
  const std::uint64_t end = std::min<std::uint64_t>(entries.size(), first + wanted);
  std::size_t bytes = 0;
  for (std::uint64_t i = first; i < end; ++i) {
    bytes += entries[i].path.size() + entries[i].target.size() + kEntryBytes;
    if (bytes > kTreePageBytes && i > first) return i - first;
  }
  return end - first;
}

Result<std::vector<TreeEntry>> load_tree(const ArtifactStore& store, const Digest& digest) {
  auto bytes = store.get(digest, kMaxTreeBytes);
  if (!bytes) return std::move(bytes).error();
  auto entries = decode_tree(*bytes);
  if (entries) return entries;
  return Error{.code = Errc::INVALID_ARGUMENT,
               .message = fmt::format("the artifact {} is not a tree: {}", digest.hex(),
                                      entries.error().message)};
}

Result<PreparedTree> prepare_tree(const ArtifactStore& store, std::vector<TreeEntry> entries) {
  std::sort(entries.begin(), entries.end(),
            [](const TreeEntry& a, const TreeEntry& b) { return a.path < b.path; });
  PreparedTree tree;
  for (TreeEntry& entry : entries) {
    if (entry.kind != TreeEntryKind::file) continue;
    auto info = store.stat(entry.digest);
    if (!info) {
      if (info.error().code != Errc::NOT_FOUND) return std::move(info).error();
      return Error{Errc::FAILED_PRECONDITION,
                   fmt::format("the content of {} ({}) is not stored; put it first", entry.path,
                               entry.digest.hex()),
                   "entries"};
    }
    if (entry.size_bytes != info->size_bytes) {
      return Error{Errc::INVALID_ARGUMENT,
                   fmt::format("{} is said to have {} bytes, and its content has {}", entry.path,
                               entry.size_bytes, info->size_bytes),
                   "entries"};
    }
    tree.sizes.size_bytes += info->size_bytes;
    tree.sizes.stored_size_bytes += info->stored_size_bytes;
  }
  const auto bytes = encode_tree(entries);
  if (auto sound = decode_tree(bytes); !sound)
    return Error{Errc::INVALID_ARGUMENT, std::move(sound).error().message, "entries"};
  auto content = store.prepare(bytes);
  if (!content) return std::move(content).error();
  tree.sizes.digest = content->info.digest;
  tree.content = std::move(*content);
  return tree;
}

}  // namespace symphony::actors
