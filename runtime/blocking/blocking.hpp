// Where work goes that may block: files, databases, processes, long computations.
//
// An actor must not block, so it hands such work to `Blocking` and goes on; `on_done` runs when the
// work is over, usually to send the actor a message. In production a bounded pool of threads does
// it, in tests the calling thread at once. Work that throws is a bug of the work: `on_done` gets
// the error.
#pragma once

#include <kj/function.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "messages/result.hpp"
#include "runtime/time/clocks.hpp"

namespace symphony::runtime {

class Blocking {
 public:
  using Work = kj::Function<Status()>;
  // Runs exactly once for each accepted work, on the thread that did it (or that cancelled it while
  // draining), and must be cheap and not throw.
  using OnDone = kj::Function<void(Status)>;

  Blocking() = default;
  Blocking(const Blocking&) = delete;
  Blocking& operator=(const Blocking&) = delete;
  virtual ~Blocking() = default;

  // Fails with overloaded when the queue is full and with unavailable once draining; then neither
  // `work` nor `on_done` runs. Any thread.
  virtual Status submit(Work work, OnDone on_done) = 0;
};

// Does the work on the calling thread before submit() returns.
class InlineBlocking final : public Blocking {
 public:
  Status submit(Work work, OnDone on_done) override;
};

// A fixed number of threads over one bounded queue, first come first served. Thread-safe.
class PoolBlocking final : public Blocking {
 public:
  struct Options {
    std::string name = "blocking";  // of the threads: name-0, name-1, ... (15 bytes are shown)
    std::size_t threads = 4;
    std::size_t queue_max = 10'000;  // works waiting, those being done not counted
  };
  struct Counts {
    std::size_t waiting = 0;
    std::size_t working = 0;
    std::uint64_t done = 0;
    std::uint64_t refused = 0;
  };

  // `clocks` must outlive the pool, and, after a drain that left threads stuck, the process.
  // REQUIRES: options.threads > 0.
  PoolBlocking(const Clocks& clocks, Options options);
  // Drains for kDestructionDrain.
  ~PoolBlocking() override;

  Status submit(Work work, OnDone on_done) override;

  // Refuses new work, lets accepted work finish for at most `patience` (real time), then cancels
  // what still waits (its on_done gets cancelled). Returns how many threads are stuck in their
  // work; those are left behind: they end when their work does. Again: returns the same count,
  // fresh.
  std::size_t drain(Nanos patience);

  [[nodiscard]] Counts counts() const;
  // How many threads have been in the same work for longer than `span`, by the given clocks.
  [[nodiscard]] std::size_t stuck_longer_than(Nanos span) const;

 private:
  static constexpr std::chrono::seconds kDestructionDrain{5};

  struct Job {
    Work work;
    OnDone on_done;
  };
  // Owned by the pool and by each of its threads, because a stuck thread outlives the pool.
  struct Shared;

  static void run(const std::shared_ptr<Shared>& shared, std::size_t self);

  std::shared_ptr<Shared> shared_;
  std::vector<std::thread> threads_;
};

}  // namespace symphony::runtime
