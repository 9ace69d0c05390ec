// symphony artifact get
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <functional>
#include <vector>

#include "actors/bootstrap/cli/artifact_commands.hpp"
#include "actors/pit/artifacts/digest.hpp"
#include "actors/pit/artifacts/tree_walk.hpp"
#include "runtime/system/fs.hpp"
#include "runtime/text/path_text.hpp"

namespace symphony::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::uint32_t kReadBytes = 1 << 20;
constexpr std::size_t kReadsUnderWay = 4;
constexpr std::uint32_t kPageEntries = 5000;
constexpr std::uint32_t kPermissionBits = 0777;  // no set-user, set-group or sticky bits

Error wrong_content(const std::string& what) {
  return {Errc::DATA_CORRUPT, what +
                                  " came back with other bytes than its digest says; `symphony "
                                  "artifact verify` tells more"};
}

Status write_full(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto count = ::write(file, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return runtime::system_error("write", "the output", errno);
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return {};
}

std::string_view bytes_of(capnp::Data::Reader data) {
  return {reinterpret_cast<const char*>(data.begin()), data.size()};
}

using Sink = std::function<Status(std::string_view bytes)>;

// Hands the content of a known size to `sink`, piece by piece, and checks it against its digest.
Status read_content(Session& session, const std::string& digest, std::uint64_t size_bytes,
                    const Sink& sink) {
  const Ref<protocol::Artifacts> artifacts{session.client()};
  Pipeline<protocol::Artifacts::Read> reads{session.desk(), kReadsUnderWay};
  actors::Sha256 hash;
  for (std::uint64_t offset = 0; offset < size_bytes; offset += kReadBytes) {
    const auto wanted =
        static_cast<std::uint32_t>(std::min<std::uint64_t>(size_bytes - offset, kReadBytes));
    auto sent = reads.send(artifacts.read([&](messages::ReadArtifactRequest::Builder request) {
      request.setRef("sha256:" + digest);
      request.setOffset(offset);
      request.setSizeBytes(wanted);
    }),
                           [&, wanted](const auto& answer) -> Status {
                             const auto bytes = bytes_of(answer->getData());
                             if (bytes.size() != wanted) return wrong_content("sha256:" + digest);
                             hash.update(bytes);
                             return sink(bytes);
                           });
    if (!sent) return sent;
  }
  if (auto done = reads.finish(); !done) return done;
  return hash.finish().hex() == digest ? Status{} : Status{wrong_content("sha256:" + digest)};
}

// ---- a content ----------------------------------------------------------------------------------

// Writes beside the file and renames, so that a get that is cut short leaves the old one.
Status write_file(Session& session, messages::ArtifactVersion::Reader version, const fs::path& path,
                  TransferMeter& meter) {
  const auto beside = path.native() + ".part";
  runtime::Descriptor file{::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666)};
  if (!file.valid()) return runtime::system_error("create", beside, errno);
  std::uint64_t written = 0;
  auto done = read_content(session, version.getDigest().cStr(), version.getSizeBytes(),
                           [&](std::string_view bytes) {
                             written += bytes.size();
                             meter.advance(written, human_bytes(written));
                             return write_full(file.get(), bytes);
                           });
  if (done && ::rename(beside.c_str(), path.c_str()) != 0)
    done = runtime::system_error("write", path, errno);
  if (!done) ::unlink(beside.c_str());
  return done;
}

void get_content(Context& context, Session& session, messages::ArtifactVersion::Reader version,
                 const GetArguments& arguments) {
  Status done;
  if (arguments.output.empty() || arguments.output == "-") {
    bool first = true;
    done =
        read_content(session, version.getDigest().cStr(), version.getSizeBytes(),
                     [&](std::string_view bytes) -> Status {
                       const bool binary = bytes.find('\0') != bytes.npos;
                       if (std::exchange(first, false) && binary && ::isatty(1) != 0)
                         return Error{Errc::INVALID_ARGUMENT,
                                      arguments.ref + " is no text; -o FILE writes it to a file"};
                       return write_full(1, bytes);
                     });
  } else {
    TransferMeter meter{"getting", version.getSizeBytes()};
    done = write_file(session, version, arguments.output, meter);
  }
  if (!done) return fail_transfer(context, session, done.error());
}

// ---- a tree -------------------------------------------------------------------------------------

struct Entry {
  std::string path;
  messages::TreeEntryKind kind;
  std::uint32_t mode;
  std::string digest;
  std::uint64_t size_bytes;
  std::string target;
};

// What comes from a store is not trusted to stay inside of the directory.
bool stays_inside(std::string_view path) {
  if (path.empty() || path.front() == '/' || path.find('\0') != path.npos) return false;
  while (true) {
    const auto slash = path.find('/');
    const auto part = path.substr(0, slash);
    if (part.empty() || part == "." || part == "..") return false;
    if (slash == path.npos) return true;
    path.remove_prefix(slash + 1);
  }
}

class TreeGet {
 public:
  TreeGet(Session& session, messages::ArtifactVersion::Reader version, const fs::path& dir)
      : session_(session), digest_(version.getDigest().cStr()), dir_(dir) {}

  Status get();
  std::uint64_t files() const noexcept { return files_; }
  std::uint64_t bytes() const noexcept { return bytes_; }

 private:
  Status list();
  Status make_room();
  Status make(const Entry& entry, TransferMeter& meter);
  Status make_file(const Entry& entry, int parent, const std::string& name, TransferMeter& meter);
  Error error(const Entry& entry) const {
    return runtime::system_error("create", dir_ / entry.path, errno);
  }

  Session& session_;
  const std::string digest_;
  const fs::path dir_;
  runtime::Descriptor root_;
  std::vector<Entry> entries_;
  std::uint64_t files_ = 0;
  std::uint64_t bytes_ = 0;
  std::uint64_t bytes_total_ = 0;
};

Status TreeGet::list() {
  const Ref<protocol::Artifacts> artifacts{session_.client()};
  for (;;) {
    const auto answer =
        session_.desk().await(artifacts.tree([&](messages::ReadTreeRequest::Builder request) {
          request.setRef("sha256:" + digest_);
          request.setOffset(entries_.size());
          request.setMax(kPageEntries);
        }));
    if (!answer) return answer.error();
    const auto page = (*answer)->getEntries();
    for (const auto entry : page) {
      entries_.push_back({std::string{bytes_of(entry.getPath())}, entry.getKind(), entry.getMode(),
                          entry.getDigest().cStr(), entry.getSizeBytes(),
                          std::string{bytes_of(entry.getTarget())}});
      bytes_total_ += entry.getSizeBytes();
      if (!stays_inside(entries_.back().path))
        return Error{Errc::DATA_CORRUPT, "the tree holds a path that leads outside of it: " +
                                             runtime::display_path(entries_.back().path)};
    }
    if (page.size() == 0 || entries_.size() >= (*answer)->getTotal()) return {};
  }
}

Status TreeGet::make_room() {
  std::error_code failed;
  if (::mkdir(dir_.c_str(), 0777) != 0) {
    if (errno != EEXIST) return runtime::system_error("create", dir_, errno);
    if (!fs::is_empty(dir_, failed) || failed)
      return Error{Errc::INVALID_ARGUMENT, "cannot restore a tree in " + dir_.native() +
                                               ": it must be a directory that is new or empty"};
  }
  root_ = runtime::Descriptor{::open(dir_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  return root_.valid() ? Status{} : Status{runtime::system_error("open", dir_, errno)};
}

Status TreeGet::make_file(const Entry& entry, int parent, const std::string& name,
                          TransferMeter& meter) {
  runtime::Descriptor file{
      ::openat(parent, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600)};
  if (!file.valid()) return error(entry);
  auto done = read_content(session_, entry.digest, entry.size_bytes, [&](std::string_view bytes) {
    bytes_ += bytes.size();
    meter.advance(bytes_, fmt::format("{} files, {}", human_count(files_), human_bytes(bytes_)));
    return write_full(file.get(), bytes);
  });
  if (!done) return done;
  if (::fchmod(file.get(), entry.mode & kPermissionBits) != 0) return error(entry);
  ++files_;
  return {};
}

Status TreeGet::make(const Entry& entry, TransferMeter& meter) {
  const auto slash = entry.path.rfind('/');
  const auto parent_path = slash == entry.path.npos ? "." : entry.path.substr(0, slash);
  const auto name = slash == entry.path.npos ? entry.path : entry.path.substr(slash + 1);
  const auto parent = actors::open_beneath(root_.get(), parent_path, O_RDONLY | O_DIRECTORY);
  if (!parent) return error(entry);
  switch (entry.kind) {
    case messages::TreeEntryKind::DIRECTORY:
      return ::mkdirat(parent.get(), name.c_str(), 0700) == 0 ? Status{} : Status{error(entry)};
    case messages::TreeEntryKind::SYMLINK:
      return ::symlinkat(entry.target.c_str(), parent.get(), name.c_str()) == 0
                 ? Status{}
                 : Status{error(entry)};
    case messages::TreeEntryKind::FILE:
      return make_file(entry, parent.get(), name, meter);
  }
  return Error{Errc::DATA_CORRUPT,
               "the tree holds something unknown at " + runtime::display_path(entry.path)};
}

Status TreeGet::get() {
  if (auto listed = list(); !listed) return listed;
  if (auto ready = make_room(); !ready) return ready;
  TransferMeter meter{"getting", bytes_total_};
  for (const auto& entry : entries_) {
    if (session_.desk().interrupts() > 0) return Error{Errc::CANCELLED, "interrupted"};
    if (auto made = make(entry, meter); !made) return made;
  }
  // Permissions of directories last, the inner ones first: one may forbid to write into itself.
  for (auto entry = entries_.rbegin(); entry != entries_.rend(); ++entry) {
    if (entry->kind != messages::TreeEntryKind::DIRECTORY) continue;
    const auto dir = actors::open_beneath(root_.get(), entry->path, O_RDONLY | O_DIRECTORY);
    if (!dir || ::fchmod(dir.get(), entry->mode & kPermissionBits) != 0) return error(*entry);
  }
  return {};
}

void get_whole_tree(Context& context, Session& session, messages::ArtifactVersion::Reader version,
                    const GetArguments& arguments) {
  if (arguments.output.empty() || arguments.output == "-")
    return context.fail(bootstrap::kExitUsage,
                        arguments.ref + " is a tree; -o DIR says where to restore it");
  TreeGet tree{session, version, arguments.output};
  if (const auto done = tree.get(); !done) return fail_transfer(context, session, done.error());
  fmt::print("{}: {} files, {}\n", arguments.output, human_count(tree.files()),
             human_bytes(tree.bytes()));
}

}  // namespace

void get_artifact(Context& context, Session& session, const GetArguments& arguments) {
  const Ref<protocol::Artifacts> artifacts{session.client()};
  const auto found = session.desk().await(artifacts.stat(
      [&](messages::StatArtifactRequest::Builder request) { request.setRef(arguments.ref); }));
  if (!found) return fail_transfer(context, session, found.error());
  const auto version = (*found)->getVersion();
  if ((*found)->getTree()) return get_whole_tree(context, session, version, arguments);
  get_content(context, session, version, arguments);
}

}  // namespace symphony::cli
