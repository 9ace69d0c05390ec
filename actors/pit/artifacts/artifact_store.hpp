// The artifact store: content that is addressed by its SHA-256, and names whose versions point at
// content.
//
// Content is compressed, kept once however often it is put, and kept in parts so that neither a
// record nor a reader's memory grows with it. A name has versions 1, 2, 3, …; a version is one
// content, or one tree (artifact_tree.hpp: content that lists a directory), with media type, time,
// source, metadata and lineage. Nothing is ever changed in place.
//
// Putting has two halves, so that any number of threads can do the expensive one:
//   prepare (hash, look whether it is there, compress)  ->  PreparedContent   pure CPU and reads
//   write_op (parts, then content, then version)        ->  WriteOp           for a StorageWriter
// An artifact is durable when its operation's completion says so. "There" means there and whole:
// what is stored already is read back and checked before a put relies on it, and written anew when
// it is damaged, so that putting the same bytes again repairs them.
//
// Invariants, kept by every operation within its transaction: a manifest is written only when all
// its parts are there, a version only when its content is.
//
// Format: artifact_records.hpp. Thread-safety: all methods may be called from any thread.
// Errors of readers: NOT_FOUND, DATA_CORRUPT (what is read is always checked against its digest).
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "actors/pit/artifacts/artifact_records.hpp"
#include "actors/pit/artifacts/content_codec.hpp"
#include "messages/result.hpp"
#include "runtime/storage/storage.hpp"
#include "runtime/storage/storage_writer.hpp"

namespace symphony::actors {

struct ArtifactStoreOptions {
  std::size_t part_bytes = std::size_t{1} << 20;  // up to kMaxPartBytes
  int compression_level = 3;
};

// A part ready to be written. An empty value: it is in the store already.
struct PreparedPart {
  Digest digest;
  std::string value;
  bool repairs = false;                 // takes the place of a damaged one
  std::uint64_t stored_size_bytes = 0;  // of its data, whether written before or now
};

// Content ready to be written. An empty value: it is in the store already.
struct PreparedContent {
  ContentInfo info;
  std::vector<PreparedPart> parts;
  std::vector<Digest> manifest;  // digests of all parts, those not in `parts` included
  std::string value;
  bool repairs = false;  // takes the place of a damaged one

  bool already_stored() const { return value.empty(); }
  std::size_t pending_bytes() const;
};

// A version to be made.
struct VersionDraft {
  std::string name;
  ArtifactKind kind = ArtifactKind::content;
  Digest digest;
  std::uint64_t created_ms = 0;
  std::string media_type = {};  // empty: application/octet-stream
  std::string source_run = {};
  std::string source_node = {};
  std::map<std::string, std::string> metadata = {};
  std::vector<Digest> lineage = {};
  // Sizes of a tree's files; nothing: those of the content.
  std::optional<ContentInfo> sizes = {};
  // When the newest version of the name has this kind and digest, it is the answer and no new
  // version is made.
  bool reuse_equal = false;
};

// What one operation writes, all or nothing.
struct ArtifactBatch {
  std::vector<PreparedPart> parts;
  std::vector<PreparedContent> contents;
  std::vector<VersionDraft> versions;

  std::size_t pending_bytes() const;
};

struct BatchOutcome {
  std::vector<VersionRecord> versions;  // in the order of the drafts
  std::uint64_t new_contents = 0;
  std::uint64_t new_stored_bytes = 0;
};

struct VersionPage {
  std::vector<VersionRecord> versions;
  std::uint64_t next_before = 0;  // hand in as `before` for the next page; 0: that was all
};

struct NamePage {
  std::vector<VersionRecord> latest;  // the newest version of each name
  std::string next_after;             // hand in as `after` for the next page; empty: that was all
};

struct Resolved {
  ContentInfo content;
  std::optional<VersionRecord> version;  // when a name led to it
};

struct ArtifactCounts {
  std::uint64_t contents = 0;
  std::uint64_t parts = 0;
  std::uint64_t versions = 0;
};

class ArtifactStore {
 public:
  static constexpr std::uint64_t kMaxWholeGetBytes = std::uint64_t{256} << 20;
  static constexpr std::size_t kMaxPage = 10'000;
  static constexpr std::size_t kMinDigestPrefix = 6;  // hex digits

  // Opens its databases. `storage` must outlive the store.
  static Result<std::unique_ptr<ArtifactStore>> open(runtime::Storage& storage,
                                                     ArtifactStoreOptions options = {});

  // ---- putting ----------------------------------------------------------------------------------

  // Content that is in memory. Does not compress what is in the store already.
  Result<PreparedContent> prepare(std::string_view content) const;

  // An operation that writes `batch`; `outcome` is filled anew each time it runs and is to be read
  // after its completion. Errors: FAILED_PRECONDITION (a part or content that a draft relies on is
  // not there), INVALID_ARGUMENT (name, too much metadata), RESOURCE_EXHAUSTED.
  runtime::WriteOp write_op(ArtifactBatch batch, std::shared_ptr<BatchOutcome> outcome) const;

  // An operation that removes those of the records that are damaged, `removed` of them: what was
  // put again meanwhile stays.
  runtime::WriteOp remove_damaged_op(std::vector<Digest> contents, std::vector<Digest> parts,
                                     std::shared_ptr<std::uint64_t> removed) const;

  // Submits and waits. For threads that may block.
  Result<BatchOutcome> write(runtime::StorageWriter& writer, ArtifactBatch batch) const;

  // ---- reading content --------------------------------------------------------------------------

  Result<ContentInfo> stat(const Digest& digest) const;
  // The same of a content that was read back and is whole. Nothing: it is damaged or not there.
  Result<std::optional<ContentInfo>> intact(const Digest& digest) const;
  // All of it. Errors also: RESOURCE_EXHAUSTED when it is larger than `max_bytes`.
  Result<std::string> get(const Digest& digest, std::uint64_t max_bytes = kMaxWholeGetBytes) const;
  // Up to `length` bytes from `offset`; less at the end, nothing beyond it.
  Result<std::string> read(const Digest& digest, std::uint64_t offset, std::uint64_t length) const;
  // Hands all of it, part by part, to `sink` in order; an error of `sink` ends it.
  Status stream(const Digest& digest, const std::function<Status(std::string_view)>& sink) const;

  // ---- reading names ----------------------------------------------------------------------------

  // Version `version` of `name`; 0: the newest.
  Result<VersionRecord> version(std::string_view name, std::uint64_t version = 0) const;
  // Versions of `name` below `before` (0: all), newest first.
  Result<VersionPage> log(std::string_view name, std::uint64_t before, std::size_t limit) const;
  // Names that start with `prefix` and come after `after`, in byte order.
  Result<NamePage> names(std::string_view prefix, std::string_view after, std::size_t limit) const;
  // "name", "name@3", "sha256:" and hex digits, hex digits: a name is preferred to a digest, and
  // at least kMinDigestPrefix digits that only one digest starts with are enough.
  // Errors also: INVALID_ARGUMENT (ambiguous, too short).
  Result<Resolved> resolve(std::string_view text) const;

  Result<ArtifactCounts> counts() const;

  // ---- for the other parts of the store ---------------------------------------------------------

  struct Databases {
    runtime::Database contents;
    runtime::Database parts;
    runtime::Database versions;
  };
  const Databases& databases() const { return databases_; }
  const ArtifactStoreOptions& options() const { return options_; }
  runtime::Storage& storage() const { return storage_; }
  CodecPool& codecs() const { return codecs_; }

  // One part of longer content.
  Result<PreparedPart> prepare_part(ContentCodec& codec, std::string_view part) const;
  // A content whose parts, in `manifest`, are in the store or about to be written.
  Result<PreparedContent> prepare_manifest(const ContentInfo& info,
                                           std::vector<Digest> manifest) const;

 private:
  ArtifactStore(runtime::Storage& storage, ArtifactStoreOptions options, Databases databases);

  // What is there under a digest, read back: its info when it is whole.
  struct Known {
    std::optional<ContentInfo> info;
    bool damaged = false;
  };
  Result<Known> check(ContentCodec& codec, const Digest& digest) const;

  runtime::Storage& storage_;
  const ArtifactStoreOptions options_;
  const Databases databases_;
  mutable CodecPool codecs_;
};

// Reads parts [first, last) of a content inside a transaction, each checked against its digest
// (content in place has one part), and hands them to `sink`.
Status read_parts(const runtime::Txn& txn, const ArtifactStore::Databases& databases,
                  ContentCodec& codec, const Digest& digest, const ContentRecord& record,
                  std::size_t first, std::size_t last,
                  const std::function<Status(std::string_view)>& sink);
// All of a content, each part and the whole checked.
Status read_whole(const runtime::Txn& txn, const ArtifactStore::Databases& databases,
                  ContentCodec& codec, const Digest& digest, const ContentRecord& record,
                  const std::function<Status(std::string_view)>& sink);

}  // namespace symphony::actors
