#include "actors/pit/artifacts/artifact_verify.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "actors/pit/artifacts/artifact_tree.hpp"
#include "runtime/text/path_text.hpp"

namespace symphony::actors {

namespace {

using runtime::Cursor;
using runtime::Database;

// Digests in key order, each with whether something refers to it.
class DigestSet {
 public:
  void append(const Digest& digest) { entries_.push_back({digest, false}); }

  // False when it is not there.
  bool refer(const Digest& digest) {
    const auto found = find(digest);
    if (found == entries_.end()) return false;
    found->referred = true;
    return true;
  }
  bool referred(const Digest& digest) {
    const auto found = find(digest);
    return found != entries_.end() && found->referred;
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

  std::vector<Entry>::iterator find(const Digest& digest) {
    const auto found = std::lower_bound(
        entries_.begin(), entries_.end(), digest,
        [](const Entry& entry, const Digest& wanted) { return entry.digest < wanted; });
    return found != entries_.end() && found->digest == digest ? found : entries_.end();
  }

  std::vector<Entry> entries_;
};

class Verifier {
 public:
  Verifier(const ArtifactStore& store, VerifyOptions options)
      : store_(store), databases_(store.databases()), options_(std::move(options)) {}

  Result<VerifyReport> run() {
    auto counts = store_.counts();
    if (!counts) return std::move(counts).error();
    total_ = counts->parts + counts->contents + counts->versions;
    auto done = walk(databases_.parts, [this](const Cursor& at) { return check_part(at); });
    if (done)
      done = walk(databases_.contents, [this](const Cursor& at) { return list_content(at); });
    if (done) {
      done = walk(databases_.contents, [this](const Cursor& at) { return check_content(at); });
    }
    for (std::size_t i = 0; done && i < in_parts_.size(); ++i) done = check_long(in_parts_[i]);
    if (done)
      done = walk(databases_.versions, [this](const Cursor& at) { return check_version(at); });
    for (std::size_t i = 0; done && i < trees_.size(); ++i) done = check_tree(trees_[i]);
    if (!done) return std::move(done).error();
    tell_damage();
    report_.unreferenced_contents = contents_.unreferred();
    report_.unreferenced_parts = parts_.unreferred();
    return std::move(report_);
  }

 private:
  struct Damage {
    std::string what;
    std::string of;  // the first name that leads there
  };
  struct Tree {
    std::string where;
    Digest digest;
  };

  Status going_on() const {
    if (!options_.cancelled || !options_.cancelled()) return {};
    return Error{.code = Errc::CANCELLED, .message = "verifying was cancelled"};
  }

  // Hands every record to `check`, slice by slice. An error of `check` ends it.
  template <class Check>
  Status walk(Database database, Check&& check) {
    std::string last;
    while (true) {
      auto txn = store_.storage().begin_read();
      if (!txn) return std::move(txn).error();
      auto cursor = txn->cursor(database);
      if (!cursor) return std::move(cursor).error();
      bool more = last.empty() ? cursor->first() : cursor->seek(last);
      if (more && !last.empty() && cursor->key() == last) more = cursor->next();
      for (std::uint64_t bytes = 0; more && bytes < options_.slice_bytes; more = cursor->next()) {
        if (auto going = going_on(); !going) return going;
        last = cursor->key();
        bytes += last.size() + cursor->value().size();
        if (auto checked = check(*cursor); !checked) return checked;
      }
      if (auto read = cursor->status(); !read) return read;
      if (!more) return {};
    }
  }

  void progressed() {
    ++done_;
    if (options_.on_progress) options_.on_progress(done_, total_);
  }

  // A problem is no error of the verification.
  Status problem(std::string where, std::string what) {
    add_problem(std::move(where), std::move(what));
    return {};
  }
  void add_problem(std::string where, std::string what) {
    ++report_.problem_count;
    if (report_.problems.size() < kMaxReportedProblems) {
      report_.problems.push_back({std::move(where), std::move(what)});
    }
  }
  // Told at the end, when it is known what it belongs to.
  static void note(std::map<Digest, Damage>& damage, const Digest& digest, std::string what) {
    damage.emplace(digest, Damage{std::move(what), {}});
  }

  static std::string place(const Digest& digest) { return "sha256:" + digest.hex(); }

  Status check_part(const Cursor& at) {
    ++report_.parts;
    progressed();
    const auto digest = Digest::from_bytes(at.key());
    if (!digest) return problem("artifact.parts", "a key is not a digest");
    parts_.append(*digest);
    auto frame = parse_part(at.value());
    buffer_.clear();
    if (!frame) {
      note(damaged_parts_, *digest, frame.error().message);
    } else if (auto decoded = codec_.append_part(buffer_, *frame); !decoded) {
      note(damaged_parts_, *digest, decoded.error().message);
    } else if (codec_.sha256().of(buffer_) != *digest) {
      note(damaged_parts_, *digest, "its bytes have changed");
    }
    return {};
  }

  Status list_content(const Cursor& at) {
    const auto digest = Digest::from_bytes(at.key());
    if (!digest) return problem("artifact.contents", "a key is not a digest");
    contents_.append(*digest);
    return {};
  }

  Status check_content(const Cursor& at) {
    ++report_.contents;
    progressed();
    const auto digest = Digest::from_bytes(at.key());
    if (!digest) return {};  // told by list_content
    auto record = parse_content(at.value());
    if (!record) {
      note(damaged_contents_, *digest, record.error().message);
      return {};
    }
    report_.content_bytes += record->size_bytes;
    report_.stored_bytes += record->stored_size_bytes;
    if (record->in_parts) {
      in_parts_.push_back(*digest);  // read apart: it may take long
      return {};
    }
    auto txn = store_.storage().begin_read();
    if (!txn) return std::move(txn).error();
    auto read = read_whole(*txn, databases_, codec_, *digest, *record,
                           [](std::string_view) { return Status(); });
    if (!read) note(damaged_contents_, *digest, read.error().message);
    return {};
  }

  // Whether it is there by now: what was written since the listing is in no set.
  Result<bool> there_now(Database database, const Digest& digest) {
    auto txn = store_.storage().begin_read();
    if (!txn) return std::move(txn).error();
    return txn->contains(database, digest.view());
  }

  Status check_long(const Digest& digest) {
    std::string value;
    {
      auto txn = store_.storage().begin_read();
      if (!txn) return std::move(txn).error();
      auto found = txn->get(databases_.contents, digest.view());
      if (!found) return std::move(found).error();
      if (!found->has_value()) return {};
      value = **found;
    }
    auto record = parse_content(value);
    if (!record) return std::move(record).error();
    bool whole_there = true;
    for (std::size_t i = 0; i < record->parts.size(); ++i) {
      const auto part = record->parts[i];
      if (parts_.refer(part)) continue;
      auto there = there_now(databases_.parts, part);
      if (!there) return std::move(there).error();
      if (*there) continue;
      whole_there = false;
      add_problem(place(digest), fmt::format("its part {} is missing", part.hex()));
    }
    if (!whole_there) return {};
    Sha256 whole;
    const auto stride = std::max<std::size_t>(
        1, static_cast<std::size_t>(options_.slice_bytes) / record->part_bytes);
    for (std::size_t i = 0; i < record->parts.size(); i += stride) {
      if (auto going = going_on(); !going) return going;
      auto txn = store_.storage().begin_read();
      if (!txn) return std::move(txn).error();
      auto read = read_parts(*txn, databases_, codec_, digest, *record, i,
                             std::min(i + stride, record->parts.size()),
                             [&](std::string_view part) -> Status {
                               whole.update(part);
                               return {};
                             });
      if (read) continue;
      note(damaged_contents_, digest, read.error().message);
      return {};
    }
    if (whole.finish() != digest) note(damaged_contents_, digest, "its bytes have changed");
    return {};
  }

  // Follows a reference to a content; false when it is missing.
  Result<bool> refer(const Digest& digest, const std::string& from) {
    if (const auto found = damaged_contents_.find(digest);
        found != damaged_contents_.end() && found->second.of.empty()) {
      found->second.of = from;
    }
    if (contents_.refer(digest)) return true;
    return there_now(databases_.contents, digest);
  }

  Status check_version(const Cursor& at) {
    ++report_.versions;
    progressed();
    auto record = parse_version(at.key(), at.value());
    if (!record) return problem("artifact.versions", record.error().message);
    const auto where = fmt::format("{}@{}", record->name, record->version);
    if (record->name != last_name_) {
      ++report_.names;
      last_name_ = record->name;
    }
    if (auto named = check_name(record->name); !named) add_problem(where, named.error().message);
    auto there = refer(record->digest, where);
    if (!there) return std::move(there).error();
    if (!*there) {
      return problem(where, fmt::format("its content {} is missing", place(record->digest)));
    }
    if (record->kind == ArtifactKind::tree) trees_.push_back({where, record->digest});
    return {};
  }

  Status check_tree(const Tree& tree) {
    ++report_.trees;
    if (damaged_contents_.contains(tree.digest)) return {};  // told already
    auto bytes = store_.get(tree.digest, kMaxTreeBytes);
    if (!bytes) return problem(tree.where, bytes.error().message);
    auto entries = decode_tree(*bytes);
    if (!entries) return problem(tree.where, entries.error().message);
    report_.tree_entries += entries->size();
    for (const auto& entry : *entries) {
      if (entry.kind != TreeEntryKind::file) continue;
      if (auto going = going_on(); !going) return going;
      auto there = refer(entry.digest, tree.where + ": " + runtime::display_path(entry.path));
      if (!there) return std::move(there).error();
      if (!*there) {
        add_problem(tree.where, fmt::format("the content {} of {} is missing", place(entry.digest),
                                            entry.path));
        continue;
      }
      auto info = store_.stat(entry.digest);
      if (info && info->size_bytes != entry.size_bytes) {
        add_problem(tree.where, fmt::format("{} has {} bytes instead of {}", entry.path,
                                            info->size_bytes, entry.size_bytes));
      }
    }
    return {};
  }

  void tell_damage() {
    for (const auto& [digest, damage] : damaged_parts_) {
      add_problem("part " + place(digest), damage.what);
      if (!parts_.referred(digest)) report_.spoilt_parts.push_back(digest);
    }
    for (const auto& [digest, damage] : damaged_contents_) {
      add_problem(
          damage.of.empty() ? place(digest) : fmt::format("{} ({})", place(digest), damage.of),
          damage.what);
      if (!contents_.referred(digest)) report_.spoilt_contents.push_back(digest);
    }
  }

  const ArtifactStore& store_;
  const ArtifactStore::Databases databases_;
  VerifyOptions options_;
  ContentCodec codec_{0};  // only decompresses
  DigestSet parts_;
  DigestSet contents_;
  std::map<Digest, Damage> damaged_parts_;
  std::map<Digest, Damage> damaged_contents_;
  std::vector<Digest> in_parts_;
  std::vector<Tree> trees_;
  std::string buffer_;
  std::string last_name_;
  std::uint64_t done_ = 0;
  std::uint64_t total_ = 0;
  VerifyReport report_;
};

}  // namespace

Result<VerifyReport> verify(const ArtifactStore& store, VerifyOptions options) {
  return Verifier(store, std::move(options)).run();
}

}  // namespace symphony::actors
