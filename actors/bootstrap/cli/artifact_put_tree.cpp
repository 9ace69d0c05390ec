// symphony artifact put --tree
//
// Contents first, in batches and in parts, each durable when it is acknowledged; then the listing
// as one version. Cut short at any moment the name is as it was, and the contents that are there
// already need not be sent twice for nothing: equal contents are stored once.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "actors/bootstrap/cli/artifact_commands.hpp"
#include "actors/bootstrap/cli/upload.hpp"
#include "actors/pit/artifacts/tree_walk.hpp"
#include "messages/json_value.hpp"
#include "runtime/system/fs.hpp"
#include "runtime/text/path_text.hpp"

namespace symphony::cli {
namespace {

constexpr std::size_t kWholeBytesMax = 256 * 1024;  // larger files go in parts
constexpr std::size_t kBatchBytesMax = std::size_t{4} << 20;
constexpr std::size_t kBatchFilesMax = 500;
constexpr std::size_t kBatchesUnderWay = 3;
constexpr std::size_t kListingBytesMax = std::size_t{1} << 20;  // of one part of the listing
constexpr std::size_t kSkipsShown = 1000;

using actors::TreeEntryKind;

class TreePut {
 public:
  TreePut(Context& context, Session& session, const PutArguments& arguments)
      : context_(context),
        session_(session),
        arguments_(arguments),
        artifacts_(session.client()),
        batches_(session.desk(), kBatchesUnderWay) {}

  void put();

 private:
  struct Entry {
    actors::TreeEntry found;
    std::string digest;  // of a file, once it is durable
    bool skipped = false;
  };
  struct Draft {
    std::size_t entry;
    std::string content;
  };

  void skip(const std::string& path, const std::string& reason);
  Status learn_limits();
  Status store_contents(TransferMeter& meter);
  Status store_file(std::size_t index, TransferMeter& meter);
  Status flush(TransferMeter& meter);
  void stored(std::size_t index, const std::string& digest);
  Result<Msg<messages::CommitTreeResponse>> commit();
  void fill(messages::TreeEntry::Builder out, const Entry& entry) const;
  void report(messages::ArtifactVersion::Reader version) const;

  Context& context_;
  Session& session_;
  const PutArguments& arguments_;
  const Ref<protocol::Artifacts> artifacts_;
  Pipeline<protocol::Artifacts::Put> batches_;
  runtime::Descriptor root_;
  std::vector<Entry> entries_;
  std::vector<Draft> drafts_;
  std::size_t draft_bytes_ = 0;
  std::size_t whole_max_ = kWholeBytesMax;
  std::uint64_t files_ = 0;
  std::uint64_t files_done_ = 0;
  std::uint64_t bytes_done_ = 0;
  std::uint64_t skipped_ = 0;
};

void TreePut::skip(const std::string& path, const std::string& reason) {
  if (++skipped_ <= kSkipsShown)
    fmt::print(stderr, "symphony: {}: left out: {}\n", runtime::display_path(path), reason);
}

// How large a content may be to go with others in one message.
Status TreePut::learn_limits() {
  const auto begun = session_.desk().await(artifacts_.begin());
  if (!begun) return begun.error();
  whole_max_ = std::min<std::size_t>(kWholeBytesMax, (*begun)->getPartBytes());
  const auto aborted =
      session_.desk().await(artifacts_.abort([&](messages::AbortUploadRequest::Builder request) {
        request.setUpload((*begun)->getUpload());
      }));
  return aborted ? Status{} : Status{aborted.error()};
}

void TreePut::stored(std::size_t index, const std::string& digest) {
  auto& entry = entries_[index];
  entry.digest = digest;
  ++files_done_;
  bytes_done_ += entry.found.size_bytes;
  if (!arguments_.verbose) return;
  if (context_.json)
    fmt::print("{}\n", Json{{"kind", "file"},
                            {"path", runtime::encode_path(entry.found.path)},
                            {"digest", digest},
                            {"sizeBytes", entry.found.size_bytes}}
                           .dump());
  else
    fmt::print("sha256:{}  {}\n", digest, runtime::display_path(entry.found.path));
  std::fflush(stdout);
}

Status TreePut::flush(TransferMeter& meter) {
  if (drafts_.empty()) return {};
  std::vector<std::size_t> indices;
  auto ask = artifacts_.put([&](messages::PutArtifactsRequest::Builder request) {
    auto drafts = request.initDrafts(static_cast<unsigned>(drafts_.size()));
    for (unsigned i = 0; i < drafts.size(); ++i) {
      const auto& content = drafts_[i].content;
      drafts[i].setContent({reinterpret_cast<const kj::byte*>(content.data()), content.size()});
      indices.push_back(drafts_[i].entry);
    }
  });
  drafts_.clear();
  draft_bytes_ = 0;
  return batches_.send(
      std::move(ask).within(kStoreTimeout),
      [this, &meter, indices = std::move(indices)](const auto& answer) -> Status {
        const auto versions = answer->getVersions();
        if (versions.size() != indices.size())
          return Error{Errc::DATA_CORRUPT, "the store acknowledged other contents than were sent"};
        for (unsigned i = 0; i < versions.size(); ++i)
          stored(indices[i], versions[i].getDigest().cStr());
        meter.advance(files_done_, fmt::format("{}/{} files, {}", human_count(files_done_),
                                               human_count(files_), human_bytes(bytes_done_)));
        return {};
      });
}

// A file that cannot be read is left out; the error is one of the store's.
Status TreePut::store_file(std::size_t index, TransferMeter& meter) {
  auto& entry = entries_[index];
  const auto leave_out = [&](const std::string& reason) {
    skip(entry.found.path, reason);
    entry.skipped = true;
    return Status{};
  };
  const auto file = actors::open_beneath(root_.get(), entry.found.path, O_RDONLY | O_NONBLOCK);
  if (!file) return leave_out(std::strerror(errno));
  struct stat about {};
  if (::fstat(file.get(), &about) != 0) return leave_out(std::strerror(errno));
  if (!S_ISREG(about.st_mode)) return leave_out("it is no longer a file");
  if (static_cast<std::uint64_t>(about.st_size) < whole_max_) {
    std::string content(whole_max_, '\0');
    const auto count = read_full(session_.desk(), file.get(), content);
    if (!count && count.error().code == Errc::CANCELLED) return count.error();
    if (!count) return leave_out(count.error().message);
    if (*count < whole_max_) {
      content.resize(*count);
      entry.found.size_bytes = *count;
      draft_bytes_ += *count;
      drafts_.push_back({index, std::move(content)});
      if (drafts_.size() >= kBatchFilesMax || draft_bytes_ >= kBatchBytesMax) return flush(meter);
      return {};
    }
    ::lseek(file.get(), 0, SEEK_SET);  // it has grown since
  }
  const auto answer = upload(session_, file.get(), {}, [&](std::uint64_t bytes) {
    meter.advance(files_done_, fmt::format("{}/{} files, {}", human_count(files_done_),
                                           human_count(files_), human_bytes(bytes_done_ + bytes)));
  });
  if (!answer) return answer.error();
  const auto version = (*answer)->getVersion();
  entry.found.size_bytes = version.getSizeBytes();
  stored(index, version.getDigest().cStr());
  return {};
}

Status TreePut::store_contents(TransferMeter& meter) {
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    if (entries_[i].found.kind != TreeEntryKind::file) continue;
    if (session_.desk().interrupts() > 0) return Error{Errc::CANCELLED, "interrupted"};
    if (auto done = store_file(i, meter); !done) return done;
  }
  if (auto flushed = flush(meter); !flushed) return flushed;
  return batches_.finish();
}

void TreePut::fill(messages::TreeEntry::Builder out, const Entry& entry) const {
  const auto bytes = [](const std::string& text) {
    return capnp::Data::Reader{reinterpret_cast<const kj::byte*>(text.data()), text.size()};
  };
  const auto& found = entry.found;
  out.setPath(bytes(found.path));
  out.setMode(found.mode);
  switch (found.kind) {
    case TreeEntryKind::file:
      out.setKind(messages::TreeEntryKind::FILE);
      out.setDigest(entry.digest);
      out.setSizeBytes(found.size_bytes);
      break;
    case TreeEntryKind::directory:
      out.setKind(messages::TreeEntryKind::DIRECTORY);
      break;
    case TreeEntryKind::symlink:
      out.setKind(messages::TreeEntryKind::SYMLINK);
      out.setTarget(bytes(found.target));
      break;
  }
}

Result<Msg<messages::CommitTreeResponse>> TreePut::commit() {
  std::erase_if(entries_, [](const Entry& entry) { return entry.skipped; });
  std::uint64_t upload_id = 0;
  std::size_t next = 0;
  for (;;) {
    std::size_t end = next;
    for (std::size_t bytes = 0; end < entries_.size() && bytes < kListingBytesMax; ++end)
      bytes += entries_[end].found.path.size() + entries_[end].found.target.size() + 160;
    const bool last = end == entries_.size();
    auto ask = artifacts_.commit_tree([&](messages::CommitTreeRequest::Builder request) {
      request.setUpload(upload_id);
      request.setLast(last);
      request.setName(arguments_.name);
      auto list = request.initEntries(static_cast<unsigned>(end - next));
      for (std::size_t i = next; i < end; ++i)
        fill(list[static_cast<unsigned>(i - next)], entries_[i]);
    });
    auto answer = session_.desk().await(std::move(ask).within(kStoreTimeout));
    if (!answer || last) return answer;
    upload_id = (*answer)->getUpload();
    next = end;
  }
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
  auto walked = actors::walk_tree(root_.get(), [&](const actors::SkippedEntry& entry) {
    skip(entry.path, entry.reason);
    return session_.desk().interrupts() > 0 ? Status{Error{Errc::CANCELLED, "interrupted"}}
                                            : Status{};
  });
  if (!walked) return fail_transfer(context_, session_, walked.error());
  for (auto& found : *walked) {
    if (found.kind == TreeEntryKind::file) ++files_;
    entries_.push_back({std::move(found), {}, false});
  }
  TransferMeter meter{"storing", files_};
  if (const auto known = learn_limits(); !known)
    return fail_transfer(context_, session_, known.error());
  const auto contents = store_contents(meter);
  meter.clear();
  if (!contents) return fail_transfer(context_, session_, contents.error());
  const auto committed = commit();
  if (!committed) return fail_transfer(context_, session_, committed.error());
  report((*committed)->getVersion());
  if (skipped_ > kSkipsShown)
    fmt::print(stderr, "symphony: {} more were left out\n", human_count(skipped_ - kSkipsShown));
  if (skipped_ > 0) context_.exit_code = bootstrap::kExitFailed;
}

}  // namespace

void put_tree(Context& context, Session& session, const PutArguments& arguments) {
  TreePut{context, session, arguments}.put();
}

}  // namespace symphony::cli
