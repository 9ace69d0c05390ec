#include "runtime/blocking/blocking.hpp"

#include <pthread.h>

#include <algorithm>
#include <exception>
#include <optional>

#include "runtime/system/thread.hpp"

namespace symphony::runtime {
namespace {

// What the work owned is released before anyone hears that it is done.
Status do_work(Blocking::Work work) {
  try {
    return work();
  } catch (const std::exception& bug) {
    return Error{Errc::INTERNAL, std::string("blocking work threw: ") + bug.what()};
  } catch (...) {
    return Error{Errc::INTERNAL, "blocking work threw something that is no exception"};
  }
}

}  // namespace

Status InlineBlocking::submit(Work work, OnDone on_done) {
  Status outcome = do_work(kj::mv(work));
  on_done(std::move(outcome));
  return {};
}

struct PoolBlocking::Shared {
  Shared(const Clocks& the_clocks, Options the_options)
      : clocks(the_clocks), options(std::move(the_options)), since(options.threads) {}

  const Clocks& clocks;
  const Options options;
  mutable std::mutex mutex;
  std::condition_variable work_or_end;
  std::condition_variable idle;  // nothing waits and nothing is done, or a thread has ended
  std::deque<Job> queue;
  std::vector<std::optional<MonoTime>> since;  // when each thread began its present work
  std::size_t working = 0;
  std::uint64_t done = 0;
  std::uint64_t refused = 0;
  bool draining = false;

  // One more thread. REQUIRES: the lock, or that nobody else knows the pool yet.
  static Status start_one(const std::shared_ptr<Shared>& shared,
                          std::vector<std::thread>& threads) {
    auto thread = start_thread("does the work of the pool " + shared->options.name,
                               [shared, self = threads.size()] { run(shared, self); });
    if (!thread) return thread.error();
    threads.push_back(std::move(*thread));
    return {};
  }
};

PoolBlocking::PoolBlocking(const Clocks& clocks, Options options) {
  SYMPHONY_ASSERT(options.threads > 0);
  shared_ = std::make_shared<Shared>(clocks, std::move(options));
  threads_.reserve(shared_->options.threads);
  // Where the system refuses some, the pool goes on with fewer and tries again with each work.
  while (threads_.size() < shared_->options.threads && Shared::start_one(shared_, threads_)) {
  }
}

PoolBlocking::~PoolBlocking() { drain(kDestructionDrain); }

Status PoolBlocking::submit(Work work, OnDone on_done) {
  {
    std::lock_guard lock(shared_->mutex);
    if (shared_->draining)
      return Error{Errc::UNAVAILABLE, "the pool " + shared_->options.name + " is shutting down"};
    if (shared_->queue.size() >= shared_->options.queue_max) {
      ++shared_->refused;
      return Error{Errc::OVERLOADED,
                   "the pool " + shared_->options.name + " has its limit of " +
                       std::to_string(shared_->options.queue_max) + " works waiting",
                   "", true};
    }
    if (threads_.size() < shared_->options.threads)
      if (auto started = Shared::start_one(shared_, threads_); !started && threads_.empty())
        return started;
    shared_->queue.push_back({kj::mv(work), kj::mv(on_done)});
  }
  shared_->work_or_end.notify_one();
  return {};
}

void PoolBlocking::run(const std::shared_ptr<Shared>& shared, std::size_t self) {
  const std::string name = shared->options.name.substr(0, 11) + "-" + std::to_string(self);
  ::pthread_setname_np(::pthread_self(), name.substr(0, 15).c_str());
  std::unique_lock lock(shared->mutex);
  while (true) {
    shared->work_or_end.wait(lock, [&] { return shared->draining || !shared->queue.empty(); });
    if (shared->queue.empty()) return;
    {
      Job job = std::move(shared->queue.front());
      shared->queue.pop_front();
      ++shared->working;
      shared->since[self] = shared->clocks.mono();
      lock.unlock();
      Status outcome = do_work(kj::mv(job.work));
      job.on_done(std::move(outcome));
    }
    lock.lock();
    shared->since[self].reset();
    --shared->working;
    ++shared->done;
    if (shared->working == 0 && shared->queue.empty()) shared->idle.notify_all();
  }
}

std::size_t PoolBlocking::drain(Nanos patience) {
  std::deque<Job> cancelled;
  std::size_t stuck = 0;
  {
    std::unique_lock lock(shared_->mutex);
    shared_->draining = true;
    shared_->work_or_end.notify_all();
    shared_->idle.wait_for(lock, patience,
                           [&] { return shared_->working == 0 && shared_->queue.empty(); });
    cancelled.swap(shared_->queue);
    stuck = shared_->working;
  }
  for (Job& job : cancelled)
    job.on_done(Error{Errc::CANCELLED,
                      "the pool " + shared_->options.name + " shut down before this work began"});
  // Joining a stuck thread would hang whoever drains: with any stuck, all are let go.
  for (std::thread& thread : threads_) {
    if (stuck == 0)
      thread.join();
    else
      thread.detach();
  }
  threads_.clear();
  return stuck;
}

PoolBlocking::Counts PoolBlocking::counts() const {
  std::lock_guard lock(shared_->mutex);
  return {shared_->queue.size(), shared_->working, shared_->done, shared_->refused};
}

std::size_t PoolBlocking::stuck_longer_than(Nanos span) const {
  const MonoTime now = shared_->clocks.mono();
  std::lock_guard lock(shared_->mutex);
  return static_cast<std::size_t>(
      std::count_if(shared_->since.begin(), shared_->since.end(),
                    [&](const auto& since) { return since && now - *since > span; }));
}

}  // namespace symphony::runtime
