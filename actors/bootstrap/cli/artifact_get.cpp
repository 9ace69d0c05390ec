// symphony artifact get
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <functional>
#include <vector>

#include "actors/bootstrap/cli/artifact_commands.hpp"
#include "actors/pit/artifacts/artifact_messages.hpp"
#include "actors/pit/artifacts/tree_walk.hpp"
#include "runtime/system/file_writer.hpp"
#include "runtime/system/fs.hpp"
#include "runtime/system/sha256.hpp"
#include "runtime/text/path_text.hpp"

namespace symphony::cli {
namespace {

namespace fs = std::filesystem;

using actors::TreeEntry;
using actors::TreeEntryKind;

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
  runtime::Sha256 hash;
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

Status write_file(Session& session, messages::ArtifactVersion::Reader version, const fs::path& path,
                  TransferMeter& meter) {
  // A pipe may wait for its reader, but not beyond a Ctrl-C.
  const auto going_on = [&]() -> Status {
    session.desk().turn(std::chrono::milliseconds{0});
    if (session.desk().interrupts() > 0) return Error{Errc::CANCELLED, "interrupted"};
    return {};
  };
  auto file = runtime::FileWriter::open(path, {.going_on = going_on});
  if (!file) return file.error();
  std::uint64_t written = 0;
  auto done = read_content(session, version.getDigest().cStr(), version.getSizeBytes(),
                           [&](std::string_view bytes) {
                             written += bytes.size();
                             meter.advance(written, human_bytes(written));
                             return file->write(bytes);
                           });
  return done ? file->commit() : done;
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

// Writes zeros as holes, by blocks of the file system's usual size.
class SparseSink {
 public:
  explicit SparseSink(int file) : file_(file) {}

  Status write(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto block = bytes.substr(0, kBlockBytes);
      bytes.remove_prefix(block.size());
      if (block.find_first_not_of('\0') == block.npos) {
        hole_ += block.size();
        continue;
      }
      if (auto skipped = skip(); !skipped) return skipped;
      if (auto written = write_full(file_, block); !written) return written;
    }
    return {};
  }
  // A hole at the end makes the file longer, too.
  Status finish() {
    const auto hole = hole_;
    if (auto skipped = skip(); !skipped || hole == 0) return skipped;
    return ::ftruncate(file_, ::lseek(file_, 0, SEEK_CUR)) == 0
               ? Status{}
               : Status{runtime::system_error("write", "the output", errno)};
  }

 private:
  static constexpr std::size_t kBlockBytes = 4096;

  Status skip() {
    if (hole_ == 0) return {};
    if (::lseek(file_, static_cast<off_t>(std::exchange(hole_, 0)), SEEK_CUR) < 0)
      return runtime::system_error("write", "the output", errno);
    return {};
  }

  const int file_;
  std::uint64_t hole_ = 0;
};

class TreeGet {
 public:
  TreeGet(Session& session, messages::ArtifactVersion::Reader version, const fs::path& dir)
      : session_(session), digest_(version.getDigest().cStr()), dir_(dir) {}

  Status get();
  std::uint64_t files() const noexcept { return files_; }
  std::uint64_t bytes() const noexcept { return bytes_; }
  // How many set-user, set-group and sticky bits were not restored.
  std::uint64_t special_bits() const noexcept { return special_bits_; }

 private:
  // A directory that was opened, and a name in it.
  struct Place {
    runtime::Descriptor dir;
    std::string name;
  };

  Status list();
  Status make_room();
  Status make(const TreeEntry& entry, TransferMeter& meter);
  Status make_file(const TreeEntry& entry, const Place& place, TransferMeter& meter);
  Status finish_directories();
  Place place_of(const std::string& path) const;
  Error error(const TreeEntry& entry) const {
    return runtime::system_error("create", dir_ / entry.path, errno);
  }

  Session& session_;
  const std::string digest_;
  const fs::path dir_;
  runtime::Descriptor root_;
  std::vector<TreeEntry> entries_;
  std::uint64_t files_ = 0;
  std::uint64_t bytes_ = 0;
  std::uint64_t bytes_total_ = 0;
  std::uint64_t special_bits_ = 0;
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
    for (unsigned i = 0; i < page.size(); ++i) {
      auto entry = actors::read_entry(page[i], i);
      if (!entry) return entry.error();
      bytes_total_ += entry->size_bytes;
      entries_.push_back(std::move(*entry));
    }
    if (page.size() == 0 || entries_.size() >= (*answer)->getTotal()) break;
  }
  // What comes from elsewhere is not trusted to stay inside of the directory: what can be decoded
  // does.
  const auto sound = actors::decode_tree(actors::encode_tree(entries_));
  return sound ? Status{} : Status{sound.error()};
}

Status TreeGet::make_room() {
  const bool made = ::mkdir(dir_.c_str(), 0777) == 0;
  if (!made && errno != EEXIST) return runtime::system_error("create", dir_, errno);
  root_ = runtime::Descriptor{::open(dir_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!root_.valid()) return runtime::system_error("open", dir_, errno);
  std::error_code failed;
  const bool empty = made || fs::is_empty(dir_, failed);
  if (failed) return runtime::system_error("look into", dir_, failed.value());
  if (!empty)
    return Error{Errc::INVALID_ARGUMENT, "cannot restore a tree in " + dir_.native() +
                                             ": it must be a directory that is new or empty"};
  return {};
}

TreeGet::Place TreeGet::place_of(const std::string& path) const {
  const auto slash = path.rfind('/');
  const auto parent = slash == path.npos ? "." : path.substr(0, slash);
  return {actors::open_beneath(root_.get(), parent, O_RDONLY | O_DIRECTORY),
          slash == path.npos ? path : path.substr(slash + 1)};
}

std::array<timespec, 2> times_of(const TreeEntry& entry) {
  timespec modified{};
  modified.tv_nsec = UTIME_OMIT;
  if (entry.modified)
    modified = {.tv_sec = static_cast<time_t>(entry.modified->seconds),
                .tv_nsec = static_cast<long>(entry.modified->nanoseconds)};
  return {timespec{.tv_sec = 0, .tv_nsec = UTIME_OMIT}, modified};
}

Status TreeGet::make_file(const TreeEntry& entry, const Place& place, TransferMeter& meter) {
  runtime::Descriptor file{::openat(place.dir.get(), place.name.c_str(),
                                    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600)};
  if (!file.valid()) return error(entry);
  SparseSink sparse{file.get()};
  auto done =
      read_content(session_, entry.digest.hex(), entry.size_bytes, [&](std::string_view bytes) {
        bytes_ += bytes.size();
        meter.advance(bytes_,
                      fmt::format("{} files, {}", human_count(files_), human_bytes(bytes_)));
        return entry.sparse ? sparse.write(bytes) : write_full(file.get(), bytes);
      });
  if (done && entry.sparse) done = sparse.finish();
  if (!done) return done;
  special_bits_ += (entry.mode & ~kPermissionBits) != 0;
  if (::fchmod(file.get(), entry.mode & kPermissionBits) != 0 ||
      ::futimens(file.get(), times_of(entry).data()) != 0)
    return error(entry);
  ++files_;
  return {};
}

Status TreeGet::make(const TreeEntry& entry, TransferMeter& meter) {
  const auto place = place_of(entry.path);
  if (!place.dir) return error(entry);
  const int dir = place.dir.get();
  const auto* name = place.name.c_str();
  switch (entry.kind) {
    case TreeEntryKind::directory:
      return ::mkdirat(dir, name, 0700) == 0 ? Status{} : Status{error(entry)};
    case TreeEntryKind::symlink:
      if (::symlinkat(entry.target.c_str(), dir, name) != 0 ||
          ::utimensat(dir, name, times_of(entry).data(), AT_SYMLINK_NOFOLLOW) != 0)
        return error(entry);
      return {};
    case TreeEntryKind::hard_link: {
      const auto target = place_of(entry.target);
      if (!target.dir || ::linkat(target.dir.get(), target.name.c_str(), dir, name, 0) != 0)
        return error(entry);
      return {};
    }
    case TreeEntryKind::file:
      return make_file(entry, place, meter);
  }
  return Error{Errc::DATA_CORRUPT,
               "the tree holds something unknown at " + runtime::display_path(entry.path)};
}

// Permissions and times of directories last, the inner ones first: one may forbid to write into
// itself, and whatever is made in one changes its time.
Status TreeGet::finish_directories() {
  for (auto entry = entries_.rbegin(); entry != entries_.rend(); ++entry) {
    if (entry->kind != TreeEntryKind::directory) continue;
    special_bits_ += (entry->mode & ~kPermissionBits) != 0;
    const auto dir = actors::open_beneath(root_.get(), entry->path, O_RDONLY | O_DIRECTORY);
    if (!dir || ::fchmod(dir.get(), entry->mode & kPermissionBits) != 0 ||
        ::futimens(dir.get(), times_of(*entry).data()) != 0)
      return error(*entry);
  }
  return {};
}

Status TreeGet::get() {
  if (auto listed = list(); !listed) return listed;
  if (auto ready = make_room(); !ready) return ready;
  TransferMeter meter{"getting", bytes_total_};
  for (const auto& entry : entries_) {
    if (session_.desk().interrupts() > 0) return Error{Errc::CANCELLED, "interrupted"};
    if (auto made = make(entry, meter); !made) return made;
  }
  if (auto finished = finish_directories(); !finished) return finished;
  // All files at once: one by one it costs as many times the disk's own.
  if (::syncfs(root_.get()) != 0) return runtime::system_error("make durable", dir_, errno);
  return runtime::sync_directory(dir_.has_parent_path() ? dir_.parent_path() : ".");
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
  if (tree.special_bits() > 0)
    fmt::print(stderr, "symphony: set-user, set-group and sticky bits of {} are not restored\n",
               human_count(tree.special_bits()));
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
