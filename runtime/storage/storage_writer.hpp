// Group commit: many callers, one durable transaction.
//
// A commit costs two waits for the disk whatever its size. Callers hand in operations; the writer
// takes everything that waits at that moment (up to named limits), runs it in one transaction,
// commits with full sync and then tells each caller its result. A lone operation does not wait
// for company: the group is whatever arrived while the previous commit was under way.
//
// An operation may run more than once (its group may have to be run again without a failing
// neighbour), so it sets its outputs anew each time and has no effect outside the transaction.
// Operations run in the order they were accepted, on one thread. An operation that fails has no
// effect and does not harm its group; its completion may come before those of earlier ones.
// Out of space: an operation gets RESOURCE_EXHAUSTED only when it does not fit alone.
// An operation that throws fails with INTERNAL. A completion must not throw and must not wait for
// the writer.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "messages/result.hpp"
#include "runtime/storage/storage.hpp"

namespace symphony::runtime {

using WriteOp = std::function<Status(WriteTxn&)>;
using Completion = std::function<void(Status)>;

struct WriterStats {
  std::uint64_t accepted = 0;
  std::uint64_t refused = 0;  // OVERLOADED
  std::uint64_t committed = 0;
  std::uint64_t failed = 0;
  std::uint64_t transactions = 0;  // durable commits
  std::uint64_t largest_group = 0;
};

class StorageWriter {
 public:
  virtual ~StorageWriter() = default;

  // Accepts `op`, about `size_bytes` large; `done` gets its result once it is durable or has
  // failed. When this returns an error (OVERLOADED: the queue is full; UNAVAILABLE: stopped),
  // `done` is never called. Thread-safe.
  virtual Status submit(WriteOp op, Completion done, std::size_t size_bytes = 0) = 0;

  // Returns when everything accepted before the call is completed. Thread-safe; not from an
  // operation or a completion.
  virtual void drain() = 0;

  // Refuses what is new, finishes what was accepted, returns when that is done. Idempotent.
  virtual void stop() = 0;

  virtual WriterStats stats() const = 0;
};

// The writer as one incarnation of a component sees it: once that was given up (`fenced()`, see
// Host::fence), what it hands in is refused with UNAVAILABLE, and what waits already fails with
// CANCELLED instead of being written beside what its replacement writes.
class FencedWriter {
 public:
  FencedWriter(StorageWriter& writer, std::function<bool()> fenced)
      : writer_(writer), fenced_(std::move(fenced)) {}
  // As StorageWriter::submit.
  Status submit(WriteOp op, Completion done, std::size_t size_bytes = 0);

 private:
  StorageWriter& writer_;
  std::function<bool()> fenced_;
};

// Submits and waits for the result. For threads that may block.
Status write_and_wait(StorageWriter& writer, WriteOp op, std::size_t size_bytes = 0);

struct PendingWrite {
  WriteOp op;
  Completion done;
  std::size_t size_bytes = 0;
};

// What both writers do with a group: commits all of it in as few transactions as possible and
// calls every completion exactly once. The counts are of this group.
WriterStats commit_group(Storage& storage, std::vector<PendingWrite> group);

// The production writer: a thread of its own and a bounded queue.
class ThreadStorageWriter final : public StorageWriter {
 public:
  struct Limits {
    std::size_t max_queued_ops = 8192;
    // An operation larger than this is accepted when nothing else waits.
    std::size_t max_queued_bytes = std::size_t{128} << 20;
    std::size_t max_group_ops = 2048;
    std::size_t max_group_bytes = std::size_t{32} << 20;
  };

  // `storage` must outlive the writer.
  explicit ThreadStorageWriter(Storage& storage) : ThreadStorageWriter(storage, Limits{}) {}
  ThreadStorageWriter(Storage& storage, Limits limits);
  ~ThreadStorageWriter() override;

  Status submit(WriteOp op, Completion done, std::size_t size_bytes = 0) override;
  void drain() override;
  void stop() override;
  WriterStats stats() const override;

 private:
  void run();
  std::vector<PendingWrite> take_group(std::unique_lock<std::mutex>& lock);

  Storage& storage_;
  const Limits limits_;
  mutable std::mutex mutex_;
  std::condition_variable work_;
  std::condition_variable idle_;
  std::deque<PendingWrite> queue_;
  std::size_t queued_bytes_ = 0;
  std::uint64_t finished_ = 0;  // accepted operations whose completion has returned
  bool stopping_ = false;
  WriterStats stats_;
  std::mutex join_mutex_;
  std::thread thread_;
};

// Commits on the calling thread before `submit` returns: no queue, no thread, no surprise.
class InlineStorageWriter final : public StorageWriter {
 public:
  explicit InlineStorageWriter(Storage& storage) : storage_(storage) {}

  Status submit(WriteOp op, Completion done, std::size_t size_bytes = 0) override;
  void drain() override {}
  void stop() override;
  WriterStats stats() const override;

 private:
  Storage& storage_;
  mutable std::mutex mutex_;
  bool stopped_ = false;
  WriterStats stats_;
};

}  // namespace symphony::runtime
