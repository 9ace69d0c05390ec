#include "actors/pit/artifacts/artifact_store.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "actors/pit/artifacts/content_upload.hpp"

namespace symphony::actors {

using runtime::ReadTxn;
using runtime::Storage;
using runtime::Txn;
using runtime::WriteTxn;

namespace {

Error no_content(const Digest& digest) {
  return {.code = Errc::NOT_FOUND,
          .message = fmt::format("no artifact has the digest {}", digest.hex())};
}

Error damaged(const Digest& digest, std::string_view why) {
  return {.code = Errc::DATA_CORRUPT,
          .message = fmt::format("the artifact {} is damaged: {}; put it again or restore it from "
                                 "a copy",
                                 digest.hex(), why)};
}

}  // namespace

std::size_t PreparedContent::pending_bytes() const {
  std::size_t bytes = value.size();
  for (const auto& part : parts) bytes += part.value.size();
  return bytes;
}

std::size_t ArtifactBatch::pending_bytes() const {
  std::size_t bytes = 0;
  for (const auto& part : parts) bytes += part.value.size();
  for (const auto& content : contents) bytes += content.pending_bytes();
  return bytes;
}

ArtifactStore::ArtifactStore(Storage& storage, ArtifactStoreOptions options, Databases databases)
    : storage_(storage),
      options_(options),
      databases_(databases),
      codecs_(options.compression_level) {}

Result<std::unique_ptr<ArtifactStore>> ArtifactStore::open(Storage& storage,
                                                           ArtifactStoreOptions options) {
  SYMPHONY_ASSERT(options.part_bytes > 0 && options.part_bytes <= kMaxPartBytes);
  auto txn = storage.begin_write();
  if (!txn) return std::move(txn).error();
  auto contents = txn->open_database(kContentsDatabase);
  if (!contents) return std::move(contents).error();
  auto parts = txn->open_database(kPartsDatabase);
  if (!parts) return std::move(parts).error();
  auto versions = txn->open_database(kVersionsDatabase);
  if (!versions) return std::move(versions).error();
  if (auto committed = txn->commit(); !committed) return std::move(committed).error();
  return std::unique_ptr<ArtifactStore>(
      new ArtifactStore(storage, options, {*contents, *parts, *versions}));
}

// ---- putting ------------------------------------------------------------------------------------

Result<PreparedContent> ArtifactStore::prepare(std::string_view content) const {
  if (content.size() > options_.part_bytes) {
    ContentUpload upload(*this);
    auto parts = upload.append(content);
    if (!parts) return std::move(parts).error();
    auto prepared = upload.finish();
    if (!prepared) return prepared;
    parts->insert(parts->end(), std::make_move_iterator(prepared->parts.begin()),
                  std::make_move_iterator(prepared->parts.end()));
    prepared->parts = std::move(*parts);
    return prepared;
  }

  auto codec = codecs_.lease();
  PreparedContent prepared;
  prepared.info = {codec->sha256().of(content), content.size(), 0};
  auto known = check(*codec, prepared.info.digest);
  if (!known) return std::move(known).error();
  if (known->info) {
    prepared.info = *known->info;
    return prepared;
  }
  prepared.repairs = known->damaged;
  prepared.value = in_place_header(content.size());
  const auto head_bytes = prepared.value.size();
  codec->append_frame(prepared.value, content);
  prepared.info.stored_size_bytes = prepared.value.size() - head_bytes - kFrameHeaderBytes;
  set_stored_size(prepared.value, prepared.info.stored_size_bytes);
  return prepared;
}

Result<PreparedPart> ArtifactStore::prepare_part(ContentCodec& codec, std::string_view part) const {
  PreparedPart prepared{.digest = codec.sha256().of(part), .value = {}};
  const auto overhead = kPartHeader.size() + kFrameHeaderBytes;
  auto txn = storage_.begin_read();
  if (!txn) return std::move(txn).error();
  auto known = txn->get(databases_.parts, prepared.digest.view());
  if (!known) return std::move(known).error();
  if (known->has_value()) {
    // Its own bytes are at hand to compare with.
    std::string stored;
    auto frame = parse_part(**known);
    if (frame && codec.append_part(stored, *frame) && stored == part) {
      prepared.stored_size_bytes = (*known)->size() - overhead;
      return prepared;
    }
    prepared.repairs = true;
  }
  prepared.value = kPartHeader;
  codec.append_frame(prepared.value, part);
  prepared.stored_size_bytes = prepared.value.size() - overhead;
  return prepared;
}

Result<PreparedContent> ArtifactStore::prepare_manifest(const ContentInfo& info,
                                                        std::vector<Digest> manifest) const {
  PreparedContent content;
  content.info = info;
  auto txn = storage_.begin_read();
  if (!txn) return std::move(txn).error();
  auto value = txn->get(databases_.contents, info.digest.view());
  if (!value) return std::move(value).error();
  if (value->has_value()) {
    auto record = parse_content(**value);
    // Its parts were compared one by one.
    if (record && record->in_parts && record->size_bytes == info.size_bytes &&
        record->parts == manifest)
      return content;
    auto codec = codecs_.lease();
    auto known = check(*codec, info.digest);
    if (!known) return std::move(known).error();
    if (known->info) {
      content.info = *known->info;
      return content;
    }
    content.repairs = true;
  }
  content.value = manifest_value(info.size_bytes, info.stored_size_bytes,
                                 static_cast<std::uint32_t>(options_.part_bytes), manifest);
  content.manifest = std::move(manifest);
  return content;
}

// ---- reading content ----------------------------------------------------------------------------

Status read_parts(const Txn& txn, const ArtifactStore::Databases& databases, ContentCodec& codec,
                  const Digest& digest, const ContentRecord& record, std::size_t first,
                  std::size_t last, const std::function<Status(std::string_view)>& sink) {
  std::string part;
  for (std::size_t i = first; i < last; ++i) {
    part.clear();
    auto frame = record.frame;
    const auto expected = record.in_parts ? record.parts[i] : digest;
    if (record.in_parts) {
      auto value = txn.get(databases.parts, expected.view());
      if (!value) return std::move(value).error();
      if (!value->has_value()) {
        return damaged(digest, fmt::format("part {} of {} is missing", i + 1, record.parts.size()));
      }
      auto parsed = parse_part(**value);
      if (!parsed) return damaged(digest, parsed.error().message);
      frame = *parsed;
    }
    if (auto decoded = codec.append_part(part, frame); !decoded) {
      return damaged(digest, decoded.error().message);
    }
    if (codec.sha256().of(part) != expected) return damaged(digest, "its bytes have changed");
    const std::uint64_t start = std::uint64_t{i} * record.part_bytes;
    const std::uint64_t size =
        record.in_parts ? std::min<std::uint64_t>(record.part_bytes, record.size_bytes - start)
                        : record.size_bytes;
    if (part.size() != size) return damaged(digest, "a part has the wrong size");
    if (auto taken = sink(part); !taken) return taken;
  }
  return {};
}

Status read_whole(const Txn& txn, const ArtifactStore::Databases& databases, ContentCodec& codec,
                  const Digest& digest, const ContentRecord& record,
                  const std::function<Status(std::string_view)>& sink) {
  if (!record.in_parts) return read_parts(txn, databases, codec, digest, record, 0, 1, sink);
  Sha256 whole;
  auto done = read_parts(txn, databases, codec, digest, record, 0, record.parts.size(),
                         [&](std::string_view part) {
                           whole.update(part);
                           return sink(part);
                         });
  if (done && whole.finish() != digest) return damaged(digest, "its bytes have changed");
  return done;
}

Result<ContentInfo> ArtifactStore::stat(const Digest& digest) const {
  auto txn = storage_.begin_read();
  if (!txn) return std::move(txn).error();
  auto value = txn->get(databases_.contents, digest.view());
  if (!value) return std::move(value).error();
  if (!value->has_value()) return no_content(digest);
  return parse_content_info(digest, **value);
}

Result<ArtifactStore::Known> ArtifactStore::check(ContentCodec& codec, const Digest& digest) const {
  auto txn = storage_.begin_read();
  if (!txn) return std::move(txn).error();
  auto value = txn->get(databases_.contents, digest.view());
  if (!value) return std::move(value).error();
  if (!value->has_value()) return Known{};
  auto record = parse_content(**value);
  if (!record) return Known{.info = {}, .damaged = true};
  auto whole = read_whole(*txn, databases_, codec, digest, *record,
                          [](std::string_view) { return Status(); });
  if (whole) {
    return Known{.info = ContentInfo{digest, record->size_bytes, record->stored_size_bytes},
                 .damaged = false};
  }
  // Only what was read and is wrong may be written anew: a disk that fails may do better later.
  if (whole.error().code != Errc::DATA_CORRUPT) return std::move(whole).error();
  return Known{.info = {}, .damaged = true};
}

Result<std::optional<ContentInfo>> ArtifactStore::intact(const Digest& digest) const {
  auto codec = codecs_.lease();
  auto known = check(*codec, digest);
  if (!known) return std::move(known).error();
  return known->info;
}

Result<std::string> ArtifactStore::read(const Digest& digest, std::uint64_t offset,
                                        std::uint64_t length) const {
  auto txn = storage_.begin_read();
  if (!txn) return std::move(txn).error();
  auto value = txn->get(databases_.contents, digest.view());
  if (!value) return std::move(value).error();
  if (!value->has_value()) return no_content(digest);
  auto record = parse_content(**value);
  if (!record) return damaged(digest, record.error().message);
  if (offset >= record->size_bytes || length == 0) return std::string();
  const auto end = offset + std::min(length, record->size_bytes - offset);

  const std::uint64_t stride = record->in_parts ? record->part_bytes : record->size_bytes;
  const auto first = offset / stride;
  const auto last = (end + stride - 1) / stride;
  std::string out;
  out.reserve(end - offset);
  auto codec = codecs_.lease();
  auto position = first * stride;
  auto done = read_parts(*txn, databases_, *codec, digest, *record, first, last,
                         [&](std::string_view part) -> Status {
                           const auto from = std::max(offset, position) - position;
                           const auto to = std::min<std::uint64_t>(end - position, part.size());
                           out.append(part.substr(from, to - from));
                           position += part.size();
                           return {};
                         });
  if (!done) return std::move(done).error();
  return out;
}

Status ArtifactStore::stream(const Digest& digest,
                             const std::function<Status(std::string_view)>& sink) const {
  auto txn = storage_.begin_read();
  if (!txn) return std::move(txn).error();
  auto value = txn->get(databases_.contents, digest.view());
  if (!value) return std::move(value).error();
  if (!value->has_value()) return no_content(digest);
  auto record = parse_content(**value);
  if (!record) return damaged(digest, record.error().message);
  auto codec = codecs_.lease();
  return read_whole(*txn, databases_, *codec, digest, *record, sink);
}

Result<std::string> ArtifactStore::get(const Digest& digest, std::uint64_t max_bytes) const {
  auto info = stat(digest);
  if (!info) return std::move(info).error();
  if (info->size_bytes > max_bytes) {
    return Error{
        .code = Errc::RESOURCE_EXHAUSTED,
        .message = fmt::format("the artifact {} has {} bytes and at most {} may be read at "
                               "once; read it in ranges",
                               digest.hex(), info->size_bytes, max_bytes)};
  }
  std::string out;
  out.reserve(info->size_bytes);
  auto done = stream(digest, [&](std::string_view part) -> Status {
    out.append(part);
    return {};
  });
  if (!done) return std::move(done).error();
  return out;
}

Result<ArtifactCounts> ArtifactStore::counts() const {
  auto txn = storage_.begin_read();
  if (!txn) return std::move(txn).error();
  auto contents = txn->count(databases_.contents);
  auto parts = txn->count(databases_.parts);
  auto versions = txn->count(databases_.versions);
  if (!contents) return std::move(contents).error();
  if (!parts) return std::move(parts).error();
  if (!versions) return std::move(versions).error();
  return ArtifactCounts{*contents, *parts, *versions};
}

}  // namespace symphony::actors
