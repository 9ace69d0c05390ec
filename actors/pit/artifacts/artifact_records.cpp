#include "actors/pit/artifacts/artifact_records.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "messages/utf8.hpp"
#include "runtime/storage/bytes.hpp"

namespace symphony::actors {

namespace {

using runtime::RecordReader;
using runtime::RecordWriter;

constexpr std::uint8_t kRecordVersion = 1;
constexpr std::uint8_t kInPlace = 0;
constexpr std::uint8_t kInParts = 1;
constexpr std::size_t kStoredSizeOffset = 1 + 1 + 8;

Error corrupt(std::string_view what) {
  return {.code = Errc::DATA_CORRUPT,
          .message = fmt::format("the record of {} cannot be read", what)};
}

Digest read_digest(RecordReader& reader) {
  return Digest::from_bytes(reader.bytes(Digest::kBytes)).value_or(Digest{});
}

struct ContentHead {
  std::uint8_t layout = 0;
  std::uint64_t size_bytes = 0;
  std::uint64_t stored_size_bytes = 0;
};

Result<ContentHead> read_head(RecordReader& reader) {
  const auto version = reader.u8();
  ContentHead head{.layout = reader.u8()};
  head.size_bytes = reader.u64();
  head.stored_size_bytes = reader.u64();
  if (!reader.ok() || version != kRecordVersion || head.layout > kInParts) {
    return corrupt("an artifact's content");
  }
  return head;
}

// Well-formed UTF-8 as in RFC 3629, without control characters.
bool is_plain_text(std::string_view text) {
  while (!text.empty()) {
    const auto lead = static_cast<unsigned char>(text[0]);
    const std::size_t length = utf8_sequence_length(text);
    if (length == 0 || lead < 0x20 || lead == 0x7f) return false;
    text.remove_prefix(length);
  }
  return true;
}

bool ends_in_version(std::string_view name) {
  const auto at = name.rfind('@');
  if (at == std::string_view::npos || at + 1 == name.size()) return false;
  const auto digits = name.substr(at + 1);
  return std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

std::string in_place_header(std::uint64_t size_bytes) {
  return RecordWriter().u8(kRecordVersion).u8(kInPlace).u64(size_bytes).u64(0).str();
}

void set_stored_size(std::string& content_value, std::uint64_t stored_size_bytes) {
  content_value.replace(kStoredSizeOffset, 8, runtime::be64_key(stored_size_bytes));
}

std::string manifest_value(std::uint64_t size_bytes, std::uint64_t stored_size_bytes,
                           std::uint32_t part_bytes, const std::vector<Digest>& parts) {
  RecordWriter writer;
  writer.u8(kRecordVersion).u8(kInParts).u64(size_bytes).u64(stored_size_bytes);
  writer.u32(part_bytes).u32(static_cast<std::uint32_t>(parts.size()));
  for (const auto& part : parts) writer.bytes(part.view());
  return std::move(writer).str();
}

Result<ContentRecord> parse_content(std::string_view value) {
  RecordReader reader(value);
  auto head = read_head(reader);
  if (!head) return std::move(head).error();
  ContentRecord record{.size_bytes = head->size_bytes,
                       .stored_size_bytes = head->stored_size_bytes,
                       .in_parts = head->layout == kInParts};
  if (!record.in_parts) {
    record.frame = reader.rest();
    return record;
  }
  record.part_bytes = reader.u32();
  const std::uint64_t count = reader.u32();
  if (!reader.ok() || record.part_bytes == 0 || count > kMaxPartsPerContent ||
      reader.rest().size() != count * Digest::kBytes ||
      count != (record.size_bytes + record.part_bytes - 1) / record.part_bytes) {
    return corrupt("an artifact's content");
  }
  record.parts = PartDigests(reader.rest());
  return record;
}

Digest PartDigests::operator[](std::size_t i) const {
  return *Digest::from_bytes(bytes_.substr(i * Digest::kBytes, Digest::kBytes));
}

bool PartDigests::operator==(const std::vector<Digest>& digests) const {
  if (digests.size() != size()) return false;
  for (std::size_t i = 0; i < size(); ++i) {
    if ((*this)[i] != digests[i]) return false;
  }
  return true;
}

Result<ContentInfo> parse_content_info(const Digest& digest, std::string_view value) {
  RecordReader reader(value);
  auto head = read_head(reader);
  if (!head) return std::move(head).error();
  return ContentInfo{digest, head->size_bytes, head->stored_size_bytes};
}

Result<std::string_view> parse_part(std::string_view value) {
  if (!value.starts_with(kPartHeader)) return corrupt("a part");
  return value.substr(kPartHeader.size());
}

std::string version_prefix(std::string_view name) {
  std::string key(name);
  key.push_back('\0');
  return key;
}

std::string version_key(std::string_view name, std::uint64_t version) {
  auto key = version_prefix(name);
  runtime::append_be64(key, version);
  return key;
}

std::string version_value(const VersionRecord& record) {
  RecordWriter writer;
  writer.u8(kRecordVersion).u8(static_cast<std::uint8_t>(record.kind));
  writer.bytes(record.digest.view()).u64(record.size_bytes).u64(record.stored_size_bytes);
  writer.u64(record.created_ms).text(record.media_type);
  writer.text(record.source_run).text(record.source_node);
  writer.u32(static_cast<std::uint32_t>(record.metadata.size()));
  for (const auto& [key, value] : record.metadata) writer.text(key).text(value);
  writer.u32(static_cast<std::uint32_t>(record.lineage.size()));
  for (const auto& digest : record.lineage) writer.bytes(digest.view());
  return std::move(writer).str();
}

Result<VersionRecord> parse_version(std::string_view key, std::string_view value) {
  if (key.size() < 10 || key[key.size() - 9] != '\0') return corrupt("a version");
  VersionRecord record;
  record.name = key.substr(0, key.size() - 9);
  record.version = runtime::read_be64(key.substr(key.size() - 8));
  RecordReader reader(value);
  const auto version = reader.u8();
  const auto kind = reader.u8();
  record.kind = static_cast<ArtifactKind>(kind);
  record.digest = read_digest(reader);
  record.size_bytes = reader.u64();
  record.stored_size_bytes = reader.u64();
  record.created_ms = reader.u64();
  record.media_type = reader.text();
  record.source_run = reader.text();
  record.source_node = reader.text();
  for (auto count = reader.u32(); count > 0 && reader.ok(); --count) {
    std::string name(reader.text());
    record.metadata.emplace(std::move(name), reader.text());
  }
  for (auto count = reader.u32(); count > 0 && reader.ok(); --count) {
    record.lineage.push_back(read_digest(reader));
  }
  if (!reader.complete() || version != kRecordVersion ||
      kind > static_cast<std::uint8_t>(ArtifactKind::tree)) {
    return corrupt(fmt::format("{}@{}", record.name, record.version));
  }
  return record;
}

Status check_name(std::string_view name) {
  const char* why = nullptr;
  if (name.empty()) why = "it is empty";
  if (name.size() > kMaxArtifactNameBytes) why = "it is longer than 384 bytes";
  if (!is_plain_text(name)) why = "it has control characters or is not UTF-8";
  if (name.starts_with("sha256:")) why = "\"sha256:\" introduces a digest";
  if (ends_in_version(name)) why = "\"@\" and a number mean a version";
  if (Digest::from_hex(name)) why = "it reads as a digest";
  if (why == nullptr) return {};
  return Error{
      .code = Errc::INVALID_ARGUMENT,
      .message = fmt::format("this cannot be the name of an artifact: {}; choose another", why),
      .field = "name"};
}

}  // namespace symphony::actors
