#include "actors/pit/artifacts/artifact_verify.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "actors/pit/artifacts/artifact_tree.hpp"

namespace symphony::actors {

namespace {

using runtime::Cursor;
using runtime::Database;
using runtime::ReadTxn;

// Digests in key order, each with whether something refers to it.
class DigestSet {
 public:
  void append(const Digest& digest) { entries_.push_back({digest, false}); }

  // False when it is not there.
  bool refer(const Digest& digest) {
    const auto found = std::lower_bound(
        entries_.begin(), entries_.end(), digest,
        [](const Entry& entry, const Digest& wanted) { return entry.digest < wanted; });
    if (found == entries_.end() || found->digest != digest) return false;
    found->referred = true;
    return true;
  }

  std::uint64_t unreferred() const {
    return static_cast<std::uint64_t>(std::count_if(
        entries_.begin(), entries_.end(), [](const Entry& entry) { return !entry.referred; }));
  }

 private:
  struct Entry {
    Digest digest;
    bool referred;
  };
  std::vector<Entry> entries_;
};

class Verifier {
 public:
  Verifier(const ArtifactStore& store, ReadTxn txn, VerifyOptions options)
      : store_(store), txn_(std::move(txn)), options_(std::move(options)) {}

  Result<VerifyReport> run() {
    const auto& databases = store_.databases();
    for (const auto database : {databases.parts, databases.contents, databases.versions}) {
      auto count = txn_.count(database);
      if (!count) return std::move(count).error();
      total_ += *count;
    }
    auto done = walk(databases.parts, [this](const Cursor& at) { check_part(at); });
    if (done) done = walk(databases.contents, [this](const Cursor& at) { list_content(at); });
    if (done) done = walk(databases.contents, [this](const Cursor& at) { check_content(at); });
    if (done) done = walk(databases.versions, [this](const Cursor& at) { check_version(at); });
    if (!done) return std::move(done).error();
    report_.unreferenced_contents = contents_.unreferred();
    report_.unreferenced_parts = parts_.unreferred();
    return std::move(report_);
  }

 private:
  template <class Check>
  Status walk(Database database, Check&& check) {
    auto cursor = txn_.cursor(database);
    if (!cursor) return std::move(cursor).error();
    for (bool more = cursor->first(); more; more = cursor->next()) {
      if (options_.cancelled && options_.cancelled()) {
        return Error{.code = Errc::CANCELLED, .message = "verifying was cancelled"};
      }
      check(*cursor);
    }
    return cursor->status();
  }

  void progressed() {
    ++done_;
    if (options_.on_progress) options_.on_progress(done_, total_);
  }

  void problem(std::string where, std::string what) {
    ++report_.problem_count;
    if (report_.problems.size() < kMaxReportedProblems) {
      report_.problems.push_back({std::move(where), std::move(what)});
    }
  }

  static std::string place(const Digest& digest) { return "sha256:" + digest.hex(); }

  void check_part(const Cursor& at) {
    ++report_.parts;
    progressed();
    const auto digest = Digest::from_bytes(at.key());
    if (!digest) return problem("artifact.parts", "a key is not a digest");
    parts_.append(*digest);
    auto frame = parse_part(at.value());
    if (!frame) return problem("part " + place(*digest), frame.error().message);
    buffer_.clear();
    if (auto decoded = codec_.append_part(buffer_, *frame); !decoded) {
      return problem("part " + place(*digest), decoded.error().message);
    }
    if (codec_.sha256().of(buffer_) != *digest) {
      problem("part " + place(*digest), "its bytes have changed");
    }
  }

  void list_content(const Cursor& at) {
    const auto digest = Digest::from_bytes(at.key());
    if (!digest) return problem("artifact.contents", "a key is not a digest");
    contents_.append(*digest);
  }

  void check_content(const Cursor& at) {
    ++report_.contents;
    progressed();
    const auto digest = Digest::from_bytes(at.key());
    if (!digest) return;  // told by list_content
    auto record = parse_content(at.value());
    if (!record) return problem(place(*digest), record.error().message);
    report_.content_bytes += record->size_bytes;
    report_.stored_bytes += record->stored_size_bytes;
    bool whole_there = true;
    for (const auto& part : record->parts) {
      if (parts_.refer(part)) continue;
      whole_there = false;
      problem(place(*digest), fmt::format("its part {} is missing", part.hex()));
    }
    if (!whole_there) return;
    Sha256 whole;
    auto read = read_parts(txn_, store_.databases(), codec_, *digest, *record, 0,
                           record->in_parts ? record->parts.size() : 1,
                           [&](std::string_view part) -> Status {
                             if (record->in_parts) whole.update(part);
                             return {};
                           });
    if (!read) return problem(place(*digest), read.error().message);
    if (record->in_parts && whole.finish() != *digest) {
      problem(place(*digest), "its bytes have changed");
    }
  }

  void check_version(const Cursor& at) {
    ++report_.versions;
    progressed();
    auto record = parse_version(at.key(), at.value());
    if (!record) return problem("artifact.versions", record.error().message);
    const auto where = fmt::format("{}@{}", record->name, record->version);
    if (record->name != last_name_) {
      ++report_.names;
      last_name_ = record->name;
    }
    if (auto named = check_name(record->name); !named) problem(where, named.error().message);
    if (!contents_.refer(record->digest)) {
      return problem(where, fmt::format("its content {} is missing", place(record->digest)));
    }
    if (record->kind == ArtifactKind::tree) check_tree(where, record->digest);
  }

  void check_tree(const std::string& where, const Digest& digest) {
    ++report_.trees;
    auto entries = load_tree_here(digest);
    if (!entries) return problem(where, entries.error().message);
    report_.tree_entries += entries->size();
    for (const auto& entry : *entries) {
      if (entry.kind != TreeEntryKind::file) continue;
      if (!contents_.refer(entry.digest)) {
        problem(where,
                fmt::format("the content {} of {} is missing", place(entry.digest), entry.path));
        continue;
      }
      auto value = txn_.get(store_.databases().contents, entry.digest.view());
      if (!value || !value->has_value()) continue;
      auto info = parse_content_info(entry.digest, **value);
      if (info && info->size_bytes != entry.size_bytes) {
        problem(where, fmt::format("{} has {} bytes instead of {}", entry.path, info->size_bytes,
                                   entry.size_bytes));
      }
    }
  }

  Result<std::vector<TreeEntry>> load_tree_here(const Digest& digest) {
    auto value = txn_.get(store_.databases().contents, digest.view());
    if (!value) return std::move(value).error();
    SYMPHONY_ASSERT(value->has_value());
    auto record = parse_content(**value);
    if (!record) return std::move(record).error();
    std::string bytes;
    auto read = read_parts(txn_, store_.databases(), codec_, digest, *record, 0,
                           record->in_parts ? record->parts.size() : 1,
                           [&](std::string_view part) -> Status {
                             bytes.append(part);
                             return {};
                           });
    if (!read) return std::move(read).error();
    return decode_tree(bytes);
  }

  const ArtifactStore& store_;
  ReadTxn txn_;
  VerifyOptions options_;
  ContentCodec codec_{0};  // only decompresses
  DigestSet parts_;
  DigestSet contents_;
  std::string buffer_;
  std::string last_name_;
  std::uint64_t done_ = 0;
  std::uint64_t total_ = 0;
  VerifyReport report_;
};

}  // namespace

Result<VerifyReport> verify(const ArtifactStore& store, VerifyOptions options) {
  auto txn = store.storage().begin_read();
  if (!txn) return std::move(txn).error();
  return Verifier(store, std::move(*txn), std::move(options)).run();
}

}  // namespace symphony::actors
