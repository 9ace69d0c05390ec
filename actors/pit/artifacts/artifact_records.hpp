// What the artifact store keeps on disk, and how. Version 1 of every record; integers big-endian;
// "text" is a 4-byte length and bytes.
//
//   database            key                      value
//   artifact.contents   digest of the content    u8 version, u8 layout, u64 size, u64 stored size,
//                                                layout 0 (in place): frame (content_codec.hpp)
//                                                layout 1 (in parts): u32 part size, u32 count,
//                                                                     count part digests
//   artifact.parts      digest of the part       u8 version, frame
//   artifact.versions   name, 0x00, u64 version  u8 version, u8 kind, digest, u64 size,
//                                                u64 stored size, u64 created (ms since 1970, UTC),
//                                                text media type, text run, text node,
//                                                u32 n, n (text key, text value),
//                                                u32 n, n digests (lineage)
//
// Content of at most one part is kept in place: one record for nearly every file. Longer content
// is a manifest of parts of equal size (the last may be shorter). All parts but the last have
// `part size` bytes.
//
// What points at something is written after it or with it: a manifest after its parts, a version
// after its content. Parts and content that nothing points at (a put that was cut short) are
// legal. Thread-safe: pure.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "messages/result.hpp"
#include "runtime/system/sha256.hpp"

namespace symphony::actors {

using runtime::Digest;

inline constexpr std::string_view kContentsDatabase = "artifact.contents";
inline constexpr std::string_view kPartsDatabase = "artifact.parts";
inline constexpr std::string_view kVersionsDatabase = "artifact.versions";

inline constexpr std::size_t kMaxArtifactNameBytes = 384;
inline constexpr std::size_t kMaxMetadataBytes = std::size_t{64} << 10;  // one version, all of it
inline constexpr std::size_t kMaxLineage = 1024;
inline constexpr std::size_t kMaxPartsPerContent = 1 << 20;

enum class ArtifactKind : std::uint8_t { content = 0, tree = 1 };

struct ContentInfo {
  Digest digest;
  std::uint64_t size_bytes = 0;
  std::uint64_t stored_size_bytes = 0;  // compressed, without keys and records
};

struct VersionRecord {
  std::string name;
  std::uint64_t version = 0;  // 1, 2, 3, …
  ArtifactKind kind = ArtifactKind::content;
  Digest digest;
  std::uint64_t size_bytes = 0;         // of a tree: all its files
  std::uint64_t stored_size_bytes = 0;  // of a tree: all its files, each counted
  std::uint64_t created_ms = 0;         // wall clock, since 1970, UTC
  std::string media_type;
  std::string source_run;
  std::string source_node;
  std::map<std::string, std::string> metadata;
  std::vector<Digest> lineage;  // what this was made from
};

// The digests of a manifest, where they stand: a content of 100 GiB has 100,000 of them, and a
// reader of one range needs one or two.
class PartDigests {
 public:
  PartDigests() = default;
  explicit PartDigests(std::string_view bytes) : bytes_(bytes) {}
  std::size_t size() const { return bytes_.size() / Digest::kBytes; }
  // REQUIRES: i < size().
  Digest operator[](std::size_t i) const;
  bool operator==(const std::vector<Digest>& digests) const;

 private:
  std::string_view bytes_;
};

// A record of artifact.contents, taken apart. Views point into the value.
struct ContentRecord {
  std::uint64_t size_bytes = 0;
  std::uint64_t stored_size_bytes = 0;
  bool in_parts = false;
  std::string_view frame;        // in place
  std::uint32_t part_bytes = 0;  // in parts
  PartDigests parts;
};

// The head of an in-place record; the frame follows. Patched by `set_stored_size` when the size of
// the frame is known.
std::string in_place_header(std::uint64_t size_bytes);
void set_stored_size(std::string& content_value, std::uint64_t stored_size_bytes);
std::string manifest_value(std::uint64_t size_bytes, std::uint64_t stored_size_bytes,
                           std::uint32_t part_bytes, const std::vector<Digest>& parts);
// Errors: DATA_CORRUPT.
Result<ContentRecord> parse_content(std::string_view value);
// Sizes only, without looking at parts. Errors: DATA_CORRUPT.
Result<ContentInfo> parse_content_info(const Digest& digest, std::string_view value);

inline constexpr std::string_view kPartHeader{"\x01", 1};
// The frame in a record of artifact.parts. Errors: DATA_CORRUPT.
Result<std::string_view> parse_part(std::string_view value);

std::string version_key(std::string_view name, std::uint64_t version);
std::string version_prefix(std::string_view name);
std::string version_value(const VersionRecord& record);
// Errors: DATA_CORRUPT.
Result<VersionRecord> parse_version(std::string_view key, std::string_view value);

// What may be a name: 1 to kMaxArtifactNameBytes bytes of UTF-8 without control characters, not
// starting with "sha256:", not ending in "@" and digits, not 64 hex digits: those mean something to
// `resolve`. Errors: INVALID_ARGUMENT.
Status check_name(std::string_view name);

}  // namespace symphony::actors
