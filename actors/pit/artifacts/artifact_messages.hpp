// Between artifacts as messages have them and as the store has them. Thread-safe: pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "actors/pit/artifacts/artifact_store.hpp"
#include "actors/pit/artifacts/artifact_tree.hpp"
#include "messages/artifacts.capnp.h"
#include "messages/result.hpp"

namespace symphony::actors {

inline constexpr std::uint32_t kTreePageMax = 10'000;  // entries
inline constexpr std::size_t kTreePageBytes = std::size_t{4} << 20;

// Name, media type and lineage of a version that is to be made. INVALID_ARGUMENT with a field.
Result<VersionDraft> read_draft(std::string_view name, std::string_view media_type,
                                messages::Lineage::Reader lineage);
void write_version(messages::ArtifactVersion::Builder out, const VersionRecord& record);
// Of content that no name led to.
void write_content(messages::ArtifactVersion::Builder out, const ContentInfo& info);

Result<TreeEntry> read_entry(messages::TreeEntry::Reader entry, unsigned index);
void write_entry(messages::TreeEntry::Builder out, const TreeEntry& entry);
// How many entries from `first` make a page of at most `max` (0: as many as fit).
std::size_t page_of(const std::vector<TreeEntry>& entries, std::uint64_t first, std::uint32_t max);

// The entries of a stored tree. Errors: NOT_FOUND, DATA_CORRUPT, INVALID_ARGUMENT (not a tree).
// Blocks on storage.
Result<std::vector<TreeEntry>> load_tree(const ArtifactStore& store, const Digest& digest);

// A tree that is ready to be written: sorted, checked, every content of it in the store.
struct PreparedTree {
  PreparedContent content;
  ContentInfo sizes;  // of all its files
};
// INVALID_ARGUMENT, FAILED_PRECONDITION. Blocks on storage.
Result<PreparedTree> prepare_tree(const ArtifactStore& store, std::vector<TreeEntry> entries);

}  // namespace symphony::actors
