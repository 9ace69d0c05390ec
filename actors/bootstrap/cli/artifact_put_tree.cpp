// symphony artifact put --tree
//
// Files are read and hashed here, a batch at a time; the store is asked which of the contents it
// has, and only the others are sent. Contents come first, each durable when it is acknowledged,
// then the listing as one version. Cut short at any moment the name is as it was, and what was sent
// need not be sent again.
//
// Memory: kBatchBytes for each batch under way, whatever the sizes of the files.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <unordered_set>
#include <utility>
#include <vector>

#include "actors/bootstrap/cli/artifact_commands.hpp"
#include "actors/bootstrap/cli/upload.hpp"
#include "actors/pit/artifacts/artifact_messages.hpp"
#include "actors/pit/artifacts/tree_walk.hpp"
#include "messages/json_value.hpp"
#include "runtime/system/fs.hpp"
#include "runtime/text/path_text.hpp"

namespace symphony::cli {
namespace {

constexpr std::size_t kBatchBytes = std::size_t{2} << 20;  // a larger file is read twice
constexpr std::size_t kBatchFiles = 400;
constexpr std::size_t kBatchesUnderWay = 2;  // at each of two stations
constexpr std::size_t kPieceBytes = std::size_t{1} << 20;
constexpr std::size_t kFilesBetweenLooks = 32;                  // at whether Ctrl-C came
constexpr std::size_t kListingBytesMax = std::size_t{1} << 20;  // of one part of the listing
constexpr std::size_t kSkipsShown = 1000;
// A large content that is there is read back by the node before it says so.
constexpr std::chrono::hours kCheckTimeout{24};

using actors::Digest;
using actors::FileReading;
using actors::TreeEntry;
using actors::TreeEntryKind;

class TreePut {
 public:
  TreePut(Context& context, Session& session, const PutArguments& arguments)
      : context_(context),
        session_(session),
        arguments_(arguments),
        artifacts_(session.client()),
        questions_(session.desk(), kBatchesUnderWay),
        puts_(session.desk(), kBatchesUnderWay) {}

  void put();

 private:
  struct Draft {
    std::size_t entry;
    Digest digest;
    std::string content;
  };
  using Drafts = std::vector<Draft>;

  void skip(const std::string& path, const std::string& reason);
  void say(const std::string& what) { fmt::print(stderr, "symphony: {}\n", what); }
  Status list();
  Status store_contents();
  Status store_file(std::size_t index);
  // Reads a file as it was at one moment. False: it changed meanwhile; an error: it cannot be read.
  // What concerns the store instead is in failure_.
  Result<bool> read_small(std::size_t index, FileReading& file);
  Result<bool> read_large(std::size_t index, FileReading& file);
  Result<bool> upload(std::size_t index, FileReading& file, const Digest& digest);
  bool failed(Status status);
  Status look_for_signals();
  Status ask();
  Status send(Drafts drafts);
  void stored(std::size_t index, const Digest& digest);
  void drop_skipped();
  Result<Msg<messages::CommitTreeResponse>> commit();
  void tell_what_is_not_kept();
  void report(messages::ArtifactVersion::Reader version) const;

  Context& context_;
  Session& session_;
  const PutArguments& arguments_;
  const Ref<protocol::Artifacts> artifacts_;
  Pipeline<protocol::Artifacts::Have> questions_;
  Pipeline<protocol::Artifacts::Put> puts_;
  runtime::Descriptor root_;
  std::size_t part_bytes_ = 0;
  std::string store_;  // where it lies, for people
  std::vector<TreeEntry> entries_;
  std::vector<bool> left_out_;  // of the entries
  actors::NotKept not_kept_;
  runtime::Sha256 hash_;
  Drafts drafts_;  // to be asked about
  std::size_t draft_bytes_ = 0;
  std::unordered_set<Digest, runtime::DigestHash> known_;  // stored by now
  std::optional<Error> failure_;
  std::optional<TransferMeter> meter_;
  std::uint64_t files_ = 0;
  std::uint64_t files_done_ = 0;
  std::uint64_t bytes_done_ = 0;
  std::uint64_t skipped_ = 0;
};

void TreePut::skip(const std::string& path, const std::string& reason) {
  if (++skipped_ <= kSkipsShown)
    say(fmt::format("{}: left out: {}", runtime::display_path(path), reason));
}

Status TreePut::list() {
  const auto place = session_.desk().await(artifacts_.place());
  if (!place) return place.error();
  part_bytes_ = (*place)->getPartBytes();
  const std::pair store{static_cast<dev_t>((*place)->getDevice()),
                        static_cast<ino_t>((*place)->getInode())};
  store_ = runtime::display_path(runtime::decode_path((*place)->getDirectory().cStr()));
  struct stat about {};
  if (::fstat(root_.get(), &about) == 0 && std::pair{about.st_dev, about.st_ino} == store)
    return Error{Errc::INVALID_ARGUMENT, store_ + " is the store itself and cannot be put into it"};
  std::size_t looked_at = 0;
  auto walked = actors::walk_tree(
      root_.get(), {.leave_out = store, .skipped = [&](const actors::SkippedEntry& entry) {
                      skip(entry.path, entry.reason);
                      return ++looked_at % kFilesBetweenLooks == 0 ? look_for_signals() : Status{};
                    }});
  if (!walked) return walked.error();
  if (walked->left_out) say(store_ + " is left out: it is where this is stored");
  not_kept_ = walked->not_kept;
  entries_ = std::move(walked->entries);
  left_out_.resize(entries_.size());
  files_ = static_cast<std::uint64_t>(
      std::count_if(entries_.begin(), entries_.end(),
                    [](const TreeEntry& entry) { return entry.kind == TreeEntryKind::file; }));
  return {};
}

Status TreePut::look_for_signals() {
  session_.desk().turn(std::chrono::milliseconds{0});
  if (session_.desk().interrupts() > 0) return Error{Errc::CANCELLED, "interrupted"};
  return {};
}

// ---- contents -----------------------------------------------------------------------------------

void TreePut::stored(std::size_t index, const Digest& digest) {
  auto& entry = entries_[index];
  entry.digest = digest;
  known_.insert(digest);
  ++files_done_;
  bytes_done_ += entry.size_bytes;
  meter_->advance(files_done_, fmt::format("{}/{} files, {}", human_count(files_done_),
                                           human_count(files_), human_bytes(bytes_done_)));
  if (!arguments_.verbose) return;
  if (context_.json)
    fmt::print("{}\n", Json{{"kind", "file"},
                            {"path", runtime::encode_path(entry.path)},
                            {"digest", digest.hex()},
                            {"sizeBytes", entry.size_bytes}}
                           .dump());
  else
    fmt::print("sha256:{}  {}\n", digest.hex(), runtime::display_path(entry.path));
  std::fflush(stdout);
}

// Asks about the batch; what is not there is sent when the answer comes.
Status TreePut::ask() {
  if (drafts_.empty()) return {};
  draft_bytes_ = 0;
  auto ask = artifacts_.have([&](messages::HaveContentsRequest::Builder request) {
    auto digests = request.initDigests(static_cast<unsigned>(drafts_.size()));
    for (unsigned i = 0; i < digests.size(); ++i) digests.set(i, drafts_[i].digest.hex());
  });
  return questions_.send(
      std::move(ask).within(kStoreTimeout),
      [this, asked = std::exchange(drafts_, {})](const auto& answer) mutable -> Status {
        const auto there = answer->getThere();
        if (there.size() != asked.size())
          return Error{Errc::DATA_CORRUPT, "the store answered about other contents than asked"};
        Drafts missing;
        for (unsigned i = 0; i < there.size(); ++i) {
          if (there[i])
            stored(asked[i].entry, asked[i].digest);
          else
            missing.push_back(std::move(asked[i]));
        }
        return send(std::move(missing));
      });
}

Status TreePut::send(Drafts drafts) {
  if (drafts.empty()) return {};
  auto ask = artifacts_.put([&](messages::PutArtifactsRequest::Builder request) {
    auto list = request.initDrafts(static_cast<unsigned>(drafts.size()));
    for (unsigned i = 0; i < list.size(); ++i) {
      auto content = std::exchange(drafts[i].content, {});
      list[i].setContent({reinterpret_cast<const kj::byte*>(content.data()), content.size()});
    }
  });
  return puts_.send(
      std::move(ask).within(kStoreTimeout),
      [this, drafts = std::move(drafts)](const auto& answer) -> Status {
        const auto versions = answer->getVersions();
        bool same = versions.size() == drafts.size();
        for (unsigned i = 0; same && i < versions.size(); ++i) {
          same = versions[i].getDigest() == drafts[i].digest.hex().c_str();
          if (same) stored(drafts[i].entry, drafts[i].digest);
        }
        if (same) return {};
        return Error{Errc::DATA_CORRUPT, "the store acknowledged other contents than were sent"};
      });
}

bool TreePut::failed(Status status) {
  if (!status && !failure_) failure_ = std::move(status).error();
  return failure_.has_value();
}

Result<bool> TreePut::read_small(std::size_t index, FileReading& file) {
  std::string content(file.size_bytes(), '\0');
  const auto count = file.read(content.data(), content.size());
  if (!count) return count.error();
  const auto unchanged = file.unchanged();
  if (!unchanged || !*unchanged) return unchanged;
  const auto digest = hash_.of(content);
  if (known_.contains(digest)) {
    stored(index, digest);
    return true;
  }
  draft_bytes_ += content.size();
  drafts_.push_back({index, digest, std::move(content)});
  if (drafts_.size() >= kBatchFiles || draft_bytes_ >= kBatchBytes) (void)failed(ask());
  return true;
}

// Twice: for its digest, and if the store has not got it once more to send it.
Result<bool> TreePut::read_large(std::size_t index, FileReading& file) {
  runtime::Sha256 hash;
  std::string piece(kPieceBytes, '\0');
  while (true) {
    if (failed(look_for_signals())) return false;
    const auto count = file.read(piece.data(), piece.size());
    if (!count) return count.error();
    if (*count == 0) break;
    hash.update(std::string_view(piece).substr(0, *count));
  }
  const auto digest = hash.finish();
  const auto unchanged = file.unchanged();
  if (!unchanged || !*unchanged) return unchanged;
  auto ask = artifacts_.have([&](messages::HaveContentsRequest::Builder request) {
    request.initDigests(1).set(0, digest.hex());
  });
  const auto answer = session_.desk().await(std::move(ask).within(kCheckTimeout));
  if (!answer || (*answer)->getThere().size() != 1) {
    (void)failed(answer ? Error{Errc::DATA_CORRUPT, "the store answered about other contents"}
                        : answer.error());
    return false;
  }
  if (!(*answer)->getThere()[0]) return upload(index, file, digest);
  stored(index, digest);
  return true;
}

Result<bool> TreePut::upload(std::size_t index, FileReading& file, const Digest& digest) {
  if (auto rewound = file.rewind(); !rewound) return std::move(rewound).error();
  Upload upload{session_, {}, [&](std::uint64_t bytes) {
                  meter_->advance(
                      files_done_,
                      fmt::format("{}/{} files, {}", human_count(files_done_), human_count(files_),
                                  human_bytes(bytes_done_ + bytes)));
                }};
  if (failed(upload.begin())) return false;
  std::string part(upload.part_bytes(), '\0');
  while (true) {
    const auto count = file.read(part.data(), part.size());
    if (!count) return count.error();
    if (*count == 0) break;
    if (failed(upload.append(std::string_view(part).substr(0, *count)))) return false;
  }
  const auto unchanged = file.unchanged();
  if (!unchanged || !*unchanged) return unchanged;
  const auto answer = upload.finish();
  if (failed(answer ? Status{} : Status{answer.error()})) return false;
  if ((*answer)->getVersion().getDigest() != digest.hex().c_str()) return false;
  stored(index, digest);
  return true;
}

// A file that cannot be read is left out; the error is one of the store's.
Status TreePut::store_file(std::size_t index) {
  auto& entry = entries_[index];
  const auto leave_out = [&](const std::string& reason) {
    skip(entry.path, reason);
    left_out_[index] = true;
    return Status{};
  };
  auto file = FileReading::open(root_.get(), entry.path);
  if (!file) return leave_out(file.error().message);
  for (int attempt = 0; attempt < kReadAttempts; ++attempt) {
    if (attempt > 0) {
      if (auto again = file->again(); !again) return leave_out(again.error().message);
    }
    entry.size_bytes = file->size_bytes();
    entry.mode = file->mode();
    entry.modified = file->modified();
    entry.sparse = file->sparse();
    const auto read = entry.size_bytes <= std::min(kBatchBytes, part_bytes_)
                          ? read_small(index, *file)
                          : read_large(index, *file);
    if (failure_) return *failure_;
    if (!read) return leave_out(read.error().message);
    if (!*read) continue;
    if (file->has_attributes()) ++not_kept_.extended_attributes;
    return {};
  }
  return leave_out(fmt::format("it changed while it was read, {} times", kReadAttempts));
}

Status TreePut::store_contents() {
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    if (i % kFilesBetweenLooks == 0) {
      if (auto going = look_for_signals(); !going) return going;
    }
    if (entries_[i].kind != TreeEntryKind::file) continue;
    if (auto done = store_file(i); !done) return done;
  }
  if (auto asked = ask(); !asked) return asked;
  if (auto answered = questions_.finish(); !answered) return answered;
  return puts_.finish();
}

// ---- the listing --------------------------------------------------------------------------------

// With a file go the hard links that lead to it.
void TreePut::drop_skipped() {
  std::unordered_set<std::string> gone;
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    if (left_out_[i]) gone.insert(entries_[i].path);
  }
  if (gone.empty()) return;
  std::erase_if(entries_, [&](const TreeEntry& entry) {
    if (gone.contains(entry.path)) return true;
    if (entry.kind != TreeEntryKind::hard_link || !gone.contains(entry.target)) return false;
    skip(entry.path, "it is the same file as " + runtime::display_path(entry.target));
    return true;
  });
}

Result<Msg<messages::CommitTreeResponse>> TreePut::commit() {
  drop_skipped();
  std::uint64_t upload_id = 0;
  std::size_t next = 0;
  for (;;) {
    std::size_t end = next;
    for (std::size_t bytes = 0; end < entries_.size() && bytes < kListingBytesMax; ++end)
      bytes += entries_[end].path.size() + entries_[end].target.size() + 176;
    const bool last = end == entries_.size();
    auto ask = artifacts_.commit_tree([&](messages::CommitTreeRequest::Builder request) {
      request.setUpload(upload_id);
      request.setLast(last);
      request.setName(arguments_.name);
      auto list = request.initEntries(static_cast<unsigned>(end - next));
      for (std::size_t i = next; i < end; ++i)
        actors::write_entry(list[static_cast<unsigned>(i - next)], entries_[i]);
    });
    auto answer = session_.desk().await(std::move(ask).within(kStoreTimeout));
    if (!answer || last) return answer;
    upload_id = (*answer)->getUpload();
    next = end;
  }
}

void TreePut::tell_what_is_not_kept() {
  if (not_kept_.foreign_owners > 0)
    say(fmt::format("{} things belong to other users: owners are not kept",
                    human_count(not_kept_.foreign_owners)));
  if (not_kept_.extended_attributes > 0)
    say(fmt::format("{} things have extended attributes: these are not kept",
                    human_count(not_kept_.extended_attributes)));
}

void TreePut::report(messages::ArtifactVersion::Reader version) const {
  if (context_.json) return print_version(context_, version);
  fmt::print("{}@{}  sha256:{}  {} files, {}{}\n", one_line(version.getName().cStr()),
             version.getVersion(), version.getDigest().cStr(), human_count(files_done_),
             human_bytes(bytes_done_),
             skipped_ == 0 ? "" : fmt::format(", {} left out", human_count(skipped_)));
}

void TreePut::put() {
  root_ = runtime::Descriptor{::open(arguments_.tree.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!root_.valid())
    return context_.fail(bootstrap::kExitUsage,
                         runtime::system_error("open", arguments_.tree, errno).message);
  if (const auto listed = list(); !listed) return fail_transfer(context_, session_, listed.error());
  meter_.emplace("storing", files_);
  const auto contents = store_contents();
  meter_->clear();
  if (!contents) return fail_transfer(context_, session_, contents.error());
  const auto committed = commit();
  if (!committed) return fail_transfer(context_, session_, committed.error());
  tell_what_is_not_kept();
  report((*committed)->getVersion());
  if (skipped_ > kSkipsShown) say(human_count(skipped_ - kSkipsShown) + " more were left out");
  if (skipped_ > 0) context_.exit_code = bootstrap::kExitFailed;
}

}  // namespace

void put_tree(Context& context, Session& session, const PutArguments& arguments) {
  TreePut{context, session, arguments}.put();
}

}  // namespace symphony::cli
