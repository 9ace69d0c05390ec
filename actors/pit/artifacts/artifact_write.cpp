// The half of the store that writes: one operation for a batch.
#include <fmt/format.h>

#include "actors/pit/artifacts/artifact_store.hpp"
#include "runtime/storage/bytes.hpp"

namespace symphony::actors {

using runtime::StorageWriter;
using runtime::WriteOp;
using runtime::WriteTxn;

namespace {

using Databases = ArtifactStore::Databases;

constexpr std::string_view kDefaultMediaType = "application/octet-stream";

Error missing(std::string_view what, const Digest& digest, std::string_view needed_by) {
  return {.code = Errc::FAILED_PRECONDITION,
          .message = fmt::format("{} {} is not in the store, and {} needs it; put it first", what,
                                 digest.hex(), needed_by)};
}

Result<bool> write_part(WriteTxn& txn, const Databases& databases, const PreparedPart& part) {
  if (part.value.empty()) {
    auto there = txn.contains(databases.parts, part.digest.view());
    if (!there) return std::move(there).error();
    if (!*there) return missing("part", part.digest, "its content");
    return false;
  }
  if (!part.repairs) return txn.put_new(databases.parts, part.digest.view(), part.value);
  if (auto put = txn.put(databases.parts, part.digest.view(), part.value); !put)
    return std::move(put).error();
  return true;
}

Status write_content(WriteTxn& txn, const Databases& databases, const PreparedContent& content,
                     BatchOutcome& outcome) {
  const auto& digest = content.info.digest;
  // Parts first, also of what is there: one of them may be a repair.
  for (const auto& part : content.parts) {
    auto written = write_part(txn, databases, part);
    if (!written) return std::move(written).error();
    if (*written) outcome.new_stored_bytes += part.value.size();
  }
  auto there = txn.contains(databases.contents, digest.view());
  if (!there) return std::move(there).error();
  if (*there && !content.repairs) return {};
  if (content.already_stored()) return missing("content", digest, "the batch");
  for (const auto& part : content.manifest) {
    auto part_there = txn.contains(databases.parts, part.view());
    if (!part_there) return std::move(part_there).error();
    if (!*part_there) return missing("part", part, digest.hex());
  }
  if (auto put = txn.put(databases.contents, digest.view(), content.value); !put) return put;
  if (!*there) ++outcome.new_contents;
  outcome.new_stored_bytes += content.value.size();
  return {};
}

Status check_draft(const VersionDraft& draft) {
  if (auto named = check_name(draft.name); !named) return named;
  std::size_t bytes = draft.media_type.size() + draft.source_run.size() + draft.source_node.size();
  for (const auto& [key, value] : draft.metadata) bytes += key.size() + value.size();
  if (bytes > kMaxMetadataBytes) {
    return Error{.code = Errc::INVALID_ARGUMENT,
                 .message = fmt::format("{} has {} bytes of metadata and may have {}; put the rest "
                                        "into content",
                                        draft.name, bytes, kMaxMetadataBytes),
                 .field = "metadata"};
  }
  if (draft.lineage.size() > kMaxLineage) {
    return Error{.code = Errc::INVALID_ARGUMENT,
                 .message = fmt::format("{} was made from {} artifacts and at most {} are recorded",
                                        draft.name, draft.lineage.size(), kMaxLineage),
                 .field = "lineage"};
  }
  return {};
}

// The newest version of `name`, nothing when there is none.
Result<std::optional<VersionRecord>> newest(WriteTxn& txn, const Databases& databases,
                                            std::string_view name) {
  const auto prefix = version_prefix(name);
  auto cursor = txn.cursor(databases.versions);
  if (!cursor) return std::move(cursor).error();
  if (!cursor->seek_before(runtime::after_prefix(prefix)) || !cursor->in(prefix)) {
    if (auto status = cursor->status(); !status) return std::move(status).error();
    return std::optional<VersionRecord>();
  }
  auto record = parse_version(cursor->key(), cursor->value());
  if (!record) return std::move(record).error();
  return std::optional(std::move(*record));
}

Result<VersionRecord> write_version(WriteTxn& txn, const Databases& databases,
                                    const VersionDraft& draft) {
  if (auto checked = check_draft(draft); !checked) return std::move(checked).error();
  auto value = txn.get(databases.contents, draft.digest.view());
  if (!value) return std::move(value).error();
  if (!value->has_value()) return missing("content", draft.digest, draft.name);
  auto info = parse_content_info(draft.digest, **value);
  if (!info) return std::move(info).error();

  auto before = newest(txn, databases, draft.name);
  if (!before) return std::move(before).error();
  const auto& last = *before;
  if (draft.reuse_equal && last && last->digest == draft.digest && last->kind == draft.kind) {
    return *last;
  }
  const auto& sizes = draft.sizes ? *draft.sizes : *info;
  VersionRecord record{
      .name = draft.name,
      .version = last ? last->version + 1 : 1,
      .kind = draft.kind,
      .digest = draft.digest,
      .size_bytes = sizes.size_bytes,
      .stored_size_bytes = sizes.stored_size_bytes,
      .created_ms = draft.created_ms,
      .media_type = draft.media_type.empty() ? std::string(kDefaultMediaType) : draft.media_type,
      .source_run = draft.source_run,
      .source_node = draft.source_node,
      .metadata = draft.metadata,
      .lineage = draft.lineage};
  auto put =
      txn.put(databases.versions, version_key(record.name, record.version), version_value(record));
  if (!put) return std::move(put).error();
  return record;
}

Status write_batch(WriteTxn& txn, const Databases& databases, const ArtifactBatch& batch,
                   BatchOutcome& outcome) {
  outcome = {};
  // What can be refused without reading is refused before anything is written: it then costs its
  // neighbours in the group nothing.
  for (const auto& draft : batch.versions) {
    if (auto checked = check_draft(draft); !checked) return checked;
  }
  for (const auto& part : batch.parts) {
    auto written = write_part(txn, databases, part);
    if (!written) return std::move(written).error();
    if (*written) outcome.new_stored_bytes += part.value.size();
  }
  for (const auto& content : batch.contents) {
    if (auto written = write_content(txn, databases, content, outcome); !written) return written;
  }
  for (const auto& draft : batch.versions) {
    auto record = write_version(txn, databases, draft);
    if (!record) return std::move(record).error();
    outcome.versions.push_back(std::move(*record));
  }
  return {};
}

}  // namespace

WriteOp ArtifactStore::write_op(ArtifactBatch batch, std::shared_ptr<BatchOutcome> outcome) const {
  SYMPHONY_ASSERT(outcome != nullptr);
  // Shared because functions are copyable, and the batch should not be copied with them.
  auto shared = std::make_shared<const ArtifactBatch>(std::move(batch));
  return [databases = databases_, shared = std::move(shared), outcome](WriteTxn& txn) {
    return write_batch(txn, databases, *shared, *outcome);
  };
}

namespace {

bool whole_content(const WriteTxn& txn, const Databases& databases, ContentCodec& codec,
                   const Digest& digest, std::string_view value) {
  auto record = parse_content(value);
  return record && read_whole(txn, databases, codec, digest, *record, [](std::string_view) {
                     return Status();
                   }).ok();
}

bool whole_part(ContentCodec& codec, const Digest& digest, std::string_view value) {
  std::string bytes;
  auto frame = parse_part(value);
  return frame && codec.append_part(bytes, *frame) && codec.sha256().of(bytes) == digest;
}

}  // namespace

WriteOp ArtifactStore::remove_damaged_op(std::vector<Digest> contents, std::vector<Digest> parts,
                                         std::shared_ptr<std::uint64_t> removed) const {
  SYMPHONY_ASSERT(removed != nullptr);
  return [databases = databases_, contents = std::move(contents), parts = std::move(parts),
          removed](WriteTxn& txn) -> Status {
    *removed = 0;
    ContentCodec codec(0);  // only decompresses
    const auto remove = [&](runtime::Database database, const Digest& digest,
                            const auto& whole) -> Status {
      auto value = txn.get(database, digest.view());
      if (!value) return std::move(value).error();
      if (!value->has_value() || whole(digest, **value)) return {};
      auto erased = txn.erase(database, digest.view());
      if (!erased) return std::move(erased).error();
      ++*removed;
      return {};
    };
    for (const auto& digest : contents) {
      auto done = remove(databases.contents, digest, [&](const Digest& of, std::string_view value) {
        return whole_content(txn, databases, codec, of, value);
      });
      if (!done) return done;
    }
    for (const auto& digest : parts) {
      auto done = remove(databases.parts, digest, [&](const Digest& of, std::string_view value) {
        return whole_part(codec, of, value);
      });
      if (!done) return done;
    }
    return {};
  };
}

Result<BatchOutcome> ArtifactStore::write(StorageWriter& writer, ArtifactBatch batch) const {
  auto outcome = std::make_shared<BatchOutcome>();
  const auto bytes = batch.pending_bytes();
  auto written = runtime::write_and_wait(writer, write_op(std::move(batch), outcome), bytes);
  if (!written) return std::move(written).error();
  return std::move(*outcome);
}

}  // namespace symphony::actors
