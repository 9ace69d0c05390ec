#include "runtime/storage/storage_writer.hpp"

#include <algorithm>
#include <exception>
#include <future>
#include <span>
#include <utility>

namespace symphony::runtime {

namespace {

void add(WriterStats& total, const WriterStats& part) {
  total.committed += part.committed;
  total.failed += part.failed;
  total.transactions += part.transactions;
  total.largest_group = std::max(total.largest_group, part.largest_group);
}

Status run_guarded(const WriteOp& op, WriteTxn& txn) {
  try {
    auto status = op(txn);
    if (status.ok() && txn.failure()) return *txn.failure();
    return status;
  } catch (const std::exception& thrown) {
    return Error{.code = Errc::INTERNAL,
                 .message = std::string("a write operation threw: ") + thrown.what()};
  }
}

Error stopped() { return {.code = Errc::UNAVAILABLE, .message = "the storage writer has stopped"}; }

// One group on its way to the disk. `done_` operations at the front are finished with; `limit_`
// is how many of the others the next transaction tries.
class Group {
 public:
  Group(Storage& storage, std::vector<PendingWrite> writes)
      : storage_(storage), writes_(std::move(writes)), limit_(writes_.size()) {}

  WriterStats commit() {
    while (!writes_.empty()) attempt();
    return stats_;
  }

 private:
  // Either shortens `writes_` or lowers `limit_`, so that `commit` ends.
  void attempt() {
    const auto count = std::min(limit_, writes_.size());
    auto txn = storage_.begin_write();
    if (!txn) return finish(count, txn.error());

    std::vector<Status> results;
    results.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
      const auto before = txn->mutations();
      auto status = run_guarded(writes_[i].op, *txn);
      const bool tainted = !status.ok() && (txn->mutations() != before || txn->failure());
      if (tainted) return drop_failed(i, std::move(status));
      results.push_back(std::move(status));
    }
    const auto succeeded =
        std::count_if(results.begin(), results.end(), [](const Status& s) { return s.ok(); });
    if (succeeded > 0) {
      if (auto committed = txn->commit(); !committed) return commit_failed(count, committed);
      ++stats_.transactions;
      stats_.largest_group = std::max(stats_.largest_group, static_cast<std::uint64_t>(succeeded));
    }
    finish(std::move(results));
  }

  // Operation `i` spoilt the transaction. Those before it are known to be good: commit them first
  // (each operation thus runs at most a few times), then go on behind it.
  void drop_failed(std::size_t i, Status status) {
    const bool may_fit_alone = status.error().code == Errc::RESOURCE_EXHAUSTED && i > 0;
    if (!may_fit_alone) {
      auto failed = std::move(writes_[i]);
      writes_.erase(writes_.begin() + static_cast<std::ptrdiff_t>(i));
      complete(failed, std::move(status));
    }
    limit_ = i > 0 ? i : writes_.size();
  }

  // Too much at once for the disk: halve until it fits or one operation stands alone.
  void commit_failed(std::size_t count, const Status& status) {
    if (status.error().code == Errc::RESOURCE_EXHAUSTED && count > 1) {
      limit_ = count / 2;
      return;
    }
    finish(count, status.error());
  }

  void finish(std::size_t count, const Error& error) {
    finish(std::vector<Status>(count, Status(error)));
  }

  void finish(std::vector<Status> results) {
    const auto end = writes_.begin() + static_cast<std::ptrdiff_t>(results.size());
    std::vector<PendingWrite> finished(std::make_move_iterator(writes_.begin()),
                                       std::make_move_iterator(end));
    writes_.erase(writes_.begin(), end);
    limit_ = writes_.size();
    for (std::size_t i = 0; i < finished.size(); ++i) complete(finished[i], std::move(results[i]));
  }

  void complete(PendingWrite& write, Status status) {
    ++(status.ok() ? stats_.committed : stats_.failed);
    // What the operation holds goes before its submitter hears of the result.
    write.op = nullptr;
    if (write.done) write.done(std::move(status));
  }

  Storage& storage_;
  std::vector<PendingWrite> writes_;
  std::size_t limit_;
  WriterStats stats_;
};

}  // namespace

WriterStats commit_group(Storage& storage, std::vector<PendingWrite> group) {
  return Group(storage, std::move(group)).commit();
}

Status FencedWriter::submit(WriteOp op, Completion done, std::size_t size_bytes) {
  if (fenced_()) return Error{Errc::UNAVAILABLE, "this incarnation was given up"};
  return writer_.submit(
      [op = std::move(op), fenced = fenced_](WriteTxn& txn) {
        if (fenced()) return Status{Error{Errc::CANCELLED, "this incarnation was given up"}};
        return op(txn);
      },
      std::move(done), size_bytes);
}

Status write_and_wait(StorageWriter& writer, WriteOp op, std::size_t size_bytes) {
  // Shared: the completion may still be returning when the waiter has gone on.
  auto result = std::make_shared<std::promise<Status>>();
  auto future = result->get_future();
  auto accepted = writer.submit(
      std::move(op), [result](Status status) { result->set_value(std::move(status)); }, size_bytes);
  if (!accepted) return accepted;
  return future.get();
}

// ---- ThreadStorageWriter ------------------------------------------------------------------------

ThreadStorageWriter::ThreadStorageWriter(Storage& storage, Limits limits)
    : storage_(storage), limits_(limits), thread_([this] { run(); }) {}

ThreadStorageWriter::~ThreadStorageWriter() { stop(); }

Status ThreadStorageWriter::submit(WriteOp op, Completion done, std::size_t size_bytes) {
  {
    std::lock_guard lock(mutex_);
    if (stopping_) return stopped();
    const bool too_many = queue_.size() >= limits_.max_queued_ops;
    const bool too_large = !queue_.empty() && queued_bytes_ + size_bytes > limits_.max_queued_bytes;
    if (too_many || too_large) {
      ++stats_.refused;
      return Error{.code = Errc::OVERLOADED,
                   .message = "the storage writer's queue is full; try again later",
                   .retryable = true};
    }
    queue_.push_back({std::move(op), std::move(done), size_bytes});
    queued_bytes_ += size_bytes;
    ++stats_.accepted;
  }
  work_.notify_one();
  return {};
}

std::vector<PendingWrite> ThreadStorageWriter::take_group(std::unique_lock<std::mutex>&) {
  std::vector<PendingWrite> group;
  std::size_t bytes = 0;
  while (!queue_.empty() && group.size() < limits_.max_group_ops) {
    const auto next_bytes = queue_.front().size_bytes;
    if (!group.empty() && bytes + next_bytes > limits_.max_group_bytes) break;
    bytes += next_bytes;
    group.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  queued_bytes_ -= bytes;
  return group;
}

void ThreadStorageWriter::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    work_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    if (queue_.empty()) return;
    auto group = take_group(lock);
    const auto size = group.size();
    lock.unlock();
    const auto counts = commit_group(storage_, std::move(group));
    lock.lock();
    add(stats_, counts);
    finished_ += size;
    idle_.notify_all();
  }
}

void ThreadStorageWriter::drain() {
  std::unique_lock lock(mutex_);
  const auto target = stats_.accepted;
  idle_.wait(lock, [this, target] { return finished_ >= target; });
}

void ThreadStorageWriter::stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  work_.notify_all();
  std::lock_guard join_lock(join_mutex_);
  if (thread_.joinable()) thread_.join();
}

WriterStats ThreadStorageWriter::stats() const {
  std::lock_guard lock(mutex_);
  return stats_;
}

// ---- InlineStorageWriter ------------------------------------------------------------------------

Status InlineStorageWriter::submit(WriteOp op, Completion done, std::size_t size_bytes) {
  {
    std::lock_guard lock(mutex_);
    if (stopped_) return stopped();
    ++stats_.accepted;
  }
  std::vector<PendingWrite> group;
  group.push_back({std::move(op), std::move(done), size_bytes});
  const auto counts = commit_group(storage_, std::move(group));
  std::lock_guard lock(mutex_);
  add(stats_, counts);
  return {};
}

void InlineStorageWriter::stop() {
  std::lock_guard lock(mutex_);
  stopped_ = true;
}

WriterStats InlineStorageWriter::stats() const {
  std::lock_guard lock(mutex_);
  return stats_;
}

}  // namespace symphony::runtime
