#include "actors/pit/artifacts/tree_put.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <thread>
#include <unordered_map>

#include "actors/pit/artifacts/content_upload.hpp"

namespace symphony::actors {

using runtime::StorageWriter;

namespace {

Error file_error(int code, std::string_view doing, std::string_view path) {
  const auto kind = code == ENOENT || code == ENOTDIR  ? Errc::NOT_FOUND
                    : code == EACCES || code == EPERM  ? Errc::PERMISSION_DENIED
                    : code == ENOSPC || code == EDQUOT ? Errc::RESOURCE_EXHAUSTED
                    : code == ENAMETOOLONG             ? Errc::INVALID_ARGUMENT
                                                       : Errc::UNAVAILABLE;
  return {.code = kind,
          .message = fmt::format("cannot {} {}: {}", doing, path, std::strerror(code))};
}

// Collects prepared content into batches and keeps a bounded number of them under way. Thread-safe.
class BatchWriter {
 public:
  BatchWriter(const ArtifactStore& store, StorageWriter& writer) : store_(store), writer_(writer) {}

  // Whatever happens, nothing refers to this object afterwards.
  ~BatchWriter() {
    std::unique_lock lock(mutex_);
    idle_.wait(lock, [this] { return under_way_ == 0; });
  }

  // May wait for earlier batches. After an error everything fails with it.
  Status add_parts(std::vector<PreparedPart> parts) {
    std::unique_lock lock(mutex_);
    for (auto& part : parts) {
      batch_bytes_ += part.value.size();
      batch_.parts.push_back(std::move(part));
    }
    return submit_if_full(lock);
  }

  Status add_content(PreparedContent content) {
    std::unique_lock lock(mutex_);
    batch_bytes_ += content.pending_bytes();
    batch_.contents.push_back(std::move(content));
    return submit_if_full(lock);
  }

  // Everything added is durable, or an error.
  Status flush() {
    std::unique_lock lock(mutex_);
    if (auto submitted = submit(lock); !submitted) return submitted;
    idle_.wait(lock, [this] { return under_way_ == 0; });
    return failure_ ? Status(*failure_) : Status();
  }

  // REQUIRES: flushed.
  const BatchOutcome& total() const { return total_; }

 private:
  Status submit_if_full(std::unique_lock<std::mutex>& lock) {
    const bool full = batch_bytes_ >= TreePutOptions::kMaxBatchBytes ||
                      batch_.contents.size() >= TreePutOptions::kMaxBatchFiles;
    if (full) return submit(lock);
    return failure_ ? Status(*failure_) : Status();
  }

  Status submit(std::unique_lock<std::mutex>& lock) {
    idle_.wait(lock, [this] { return under_way_ < TreePutOptions::kMaxBatchesUnderWay; });
    if (failure_) return *failure_;
    if (batch_.contents.empty() && batch_.parts.empty()) return {};
    auto batch = std::exchange(batch_, {});
    const auto bytes = std::exchange(batch_bytes_, 0);
    ++under_way_;
    auto outcome = std::make_shared<BatchOutcome>();
    const auto op = store_.write_op(std::move(batch), outcome);
    while (true) {
      // Submitting may run the completion on this thread, which takes the lock.
      lock.unlock();
      auto accepted = writer_.submit(
          op, [this, outcome](Status status) { complete(std::move(status), *outcome); }, bytes);
      if (!accepted && accepted.error().code != Errc::OVERLOADED) complete(accepted, {});
      lock.lock();
      if (accepted || accepted.error().code != Errc::OVERLOADED) break;
      // When a batch of ours is in the full queue, there is something to wait for.
      const auto before = under_way_;
      if (before == 1) {
        --under_way_;
        if (!failure_) failure_ = accepted.error();
        break;
      }
      idle_.wait(lock, [this, before] { return under_way_ < before; });
    }
    return failure_ ? Status(*failure_) : Status();
  }

  void complete(Status status, const BatchOutcome& outcome) {
    std::lock_guard lock(mutex_);
    --under_way_;
    if (status.ok()) {
      total_.new_contents += outcome.new_contents;
      total_.new_stored_bytes += outcome.new_stored_bytes;
    } else if (!failure_) {
      failure_ = std::move(status).error();
    }
    // Under the lock: the owner may go away as soon as it sees that nothing is under way.
    idle_.notify_all();
  }

  const ArtifactStore& store_;
  StorageWriter& writer_;
  std::mutex mutex_;
  std::condition_variable idle_;
  ArtifactBatch batch_;
  std::size_t batch_bytes_ = 0;
  std::size_t under_way_ = 0;
  std::optional<Error> failure_;
  BatchOutcome total_;
};

enum class Fate { waiting, stored, skipped };

class TreePutter {
 public:
  TreePutter(const ArtifactStore& store, StorageWriter& writer, TreePutOptions options)
      : store_(store), writer_(writer), options_(std::move(options)), batches_(store, writer) {}

  Result<TreePut> run(const std::filesystem::path& dir) {
    if (!options_.version.name.empty()) {
      if (auto named = check_name(options_.version.name); !named) return std::move(named).error();
    }
    OwnedFd root(::open(dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!root) return file_error(errno, "read the directory", dir.native());
    auto entries = walk_tree(root.get(), [this](const SkippedEntry& entry) { return skip(entry); });
    if (!entries) return std::move(entries).error();
    entries_ = std::move(*entries);
    if (auto stored = store_files(root.get()); !stored) return std::move(stored).error();
    if (auto durable = batches_.flush(); !durable) return std::move(durable).error();
    return finish();
  }

 private:
  // Told by any thread.
  Status skip(const SkippedEntry& entry) {
    std::lock_guard lock(mutex_);
    ++result_.skipped_count;
    if (result_.skipped.size() < TreePutOptions::kMaxReportedSkips) {
      result_.skipped.push_back(entry);
    }
    if (!options_.on_skipped || options_.on_skipped(entry)) return {};
    return Error{.code = Errc::FAILED_PRECONDITION,
                 .message = fmt::format("{} was left out ({}), and nothing may be", entry.path,
                                        entry.reason)};
  }

  Status store_files(int root) {
    fates_.assign(entries_.size(), Fate::waiting);
    for (const auto& entry : entries_) progress_.files_total += entry.kind == TreeEntryKind::file;
    std::vector<std::thread> helpers;
    for (int i = 1; i < options_.threads; ++i) helpers.emplace_back([this, root] { work(root); });
    work(root);
    for (auto& helper : helpers) helper.join();
    return failure_ ? Status(*failure_) : Status();
  }

  // Takes files until none is left or something failed.
  void work(int root) {
    std::string buffer;
    while (!failed_.load(std::memory_order_relaxed)) {
      const auto i = next_.fetch_add(1, std::memory_order_relaxed);
      if (i >= entries_.size()) return;
      auto& entry = entries_[i];
      if (entry.kind != TreeEntryKind::file) continue;
      auto stored = options_.cancelled && options_.cancelled()
                        ? Status(Error{.code = Errc::CANCELLED,
                                       .message = "putting the tree was "
                                                  "cancelled"})
                        : store_file(root, i, buffer);
      std::lock_guard lock(mutex_);
      if (!stored) {
        if (!failure_) failure_ = std::move(stored).error();
        failed_ = true;
        return;
      }
      ++progress_.files_done;
      progress_.bytes_done += entry.size_bytes;
      if (options_.on_progress) options_.on_progress(progress_);
    }
  }

  Status store_file(int root, std::size_t i, std::string& buffer) {
    auto& entry = entries_[i];
    // O_NONBLOCK: a pipe that took the file's place since the walk must not hold us.
    auto fd = open_beneath(root, entry.path, O_RDONLY | O_NONBLOCK);
    struct stat info {};
    if (!fd || ::fstat(fd.get(), &info) != 0) return leave_out(i, std::strerror(errno));
    if (!S_ISREG(info.st_mode)) return leave_out(i, "is no longer a file");

    // One byte more than a part tells short files from long ones.
    const auto piece_bytes = store_.options().part_bytes + 1;
    buffer.resize(piece_bytes);
    auto size = read_piece(fd.get(), buffer);
    if (size < 0) return leave_out(i, std::strerror(errno));
    auto piece = std::string_view(buffer).substr(0, static_cast<std::size_t>(size));
    if (piece.size() < piece_bytes) {
      auto prepared = store_.prepare(piece);
      if (!prepared) return std::move(prepared).error();
      return settle(i, std::move(*prepared));
    }
    ContentUpload upload(store_);
    while (!piece.empty()) {
      auto parts = upload.append(piece);
      if (!parts) return std::move(parts).error();
      if (auto added = batches_.add_parts(std::move(*parts)); !added) return added;
      size = read_piece(fd.get(), buffer);
      if (size < 0) return leave_out(i, std::strerror(errno));
      piece = std::string_view(buffer).substr(0, static_cast<std::size_t>(size));
    }
    // Parts may be in earlier batches. Should one of those fail, so does what relies on it.
    auto prepared = upload.finish();
    if (!prepared) return std::move(prepared).error();
    return settle(i, std::move(*prepared));
  }

  static ssize_t read_piece(int fd, std::string& buffer) {
    std::size_t size = 0;
    while (size < buffer.size()) {
      const auto got = ::read(fd, buffer.data() + size, buffer.size() - size);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return -1;
      if (got == 0) break;
      size += static_cast<std::size_t>(got);
    }
    return static_cast<ssize_t>(size);
  }

  Status leave_out(std::size_t i, const char* reason) {
    fates_[i] = Fate::skipped;
    return skip({entries_[i].path, reason});
  }

  Status settle(std::size_t i, PreparedContent prepared) {
    entries_[i].digest = prepared.info.digest;
    entries_[i].size_bytes = prepared.info.size_bytes;
    fates_[i] = Fate::stored;
    {
      std::lock_guard lock(mutex_);
      result_.size_bytes += prepared.info.size_bytes;
      stored_bytes_ += prepared.info.stored_size_bytes;
    }
    if (prepared.already_stored()) return {};
    return batches_.add_content(std::move(prepared));
  }

  // The tree, then the name: each durable before the next.
  Result<TreePut> finish() {
    std::vector<TreeEntry> listed;
    listed.reserve(entries_.size());
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      auto& entry = entries_[i];
      if (fates_[i] == Fate::skipped) continue;
      result_.files += entry.kind == TreeEntryKind::file;
      result_.directories += entry.kind == TreeEntryKind::directory;
      result_.symlinks += entry.kind == TreeEntryKind::symlink;
      listed.push_back(std::move(entry));
    }
    const auto bytes = encode_tree(listed);
    if (bytes.size() > kMaxTreeBytes) {
      return Error{.code = Errc::RESOURCE_EXHAUSTED,
                   .message = fmt::format("the list of files has {} bytes and may have {}; put its "
                                          "directories one by one",
                                          bytes.size(), kMaxTreeBytes)};
    }
    auto tree = store_.prepare(bytes);
    if (!tree) return std::move(tree).error();
    result_.digest = tree->info.digest;
    ArtifactBatch last;
    last.contents.push_back(std::move(*tree));
    if (!options_.version.name.empty()) {
      auto draft = std::move(options_.version);
      draft.kind = ArtifactKind::tree;
      draft.digest = result_.digest;
      draft.sizes = ContentInfo{result_.digest, result_.size_bytes, stored_bytes_};
      if (draft.media_type.empty()) draft.media_type = kTreeMediaType;
      last.versions.push_back(std::move(draft));
    }
    // Every file is durable by now, so that tree and name may share a transaction: in it the name
    // is written last.
    auto outcome = store_.write(writer_, std::move(last));
    if (!outcome) return std::move(outcome).error();
    result_.new_contents = batches_.total().new_contents + outcome->new_contents;
    result_.new_stored_bytes = batches_.total().new_stored_bytes + outcome->new_stored_bytes;
    if (!outcome->versions.empty()) result_.version = std::move(outcome->versions.front());
    return std::move(result_);
  }

  const ArtifactStore& store_;
  StorageWriter& writer_;
  TreePutOptions options_;
  std::vector<TreeEntry> entries_;
  std::vector<Fate> fates_;
  std::atomic<std::size_t> next_{0};
  std::atomic<bool> failed_{false};
  std::mutex mutex_;  // of what follows
  std::optional<Error> failure_;
  TreeProgress progress_;
  TreePut result_;
  std::uint64_t stored_bytes_ = 0;
  BatchWriter batches_;
};

}  // namespace

Result<TreePut> put_tree(const ArtifactStore& store, StorageWriter& writer,
                         const std::filesystem::path& dir, TreePutOptions options) {
  return TreePutter(store, writer, std::move(options)).run(dir);
}

}  // namespace symphony::actors
