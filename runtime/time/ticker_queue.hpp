// What both tickers share: the subscribers, ordered by wake-up time. Internal to runtime/time.
#pragma once

#include <atomic>
#include <compare>
#include <condition_variable>
#include <functional>
#include <limits>
#include <mutex>
#include <set>
#include <thread>

#include "runtime/time/ticker.hpp"

namespace symphony::runtime {

struct TickerSubscriber {
  static constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

  std::uint64_t id = 0;
  // Written under the queue's mutex; read without it to ignore what is not earlier.
  std::atomic<std::int64_t> wake_ns{kNever};
  bool cancelled = false;  // under the queue's mutex
  std::function<void()> on_wake;
};

// Thread-safe. Callbacks run without the mutex.
class TickerQueue : public std::enable_shared_from_this<TickerQueue> {
 public:
  explicit TickerQueue(std::size_t subscribers_max) : subscribers_max_(subscribers_max) {}

  Result<TickerSubscription> subscribe(std::function<void()> on_wake);
  void wake_at(const std::shared_ptr<TickerSubscriber>& subscriber, MonoTime at);
  void cancel(const std::shared_ptr<TickerSubscriber>& subscriber);

  [[nodiscard]] std::optional<MonoTime> next_wake() const;
  [[nodiscard]] std::size_t count_due(MonoTime now) const;
  // Wakes the first subscriber if its time is not after `now`; returns whether there was one.
  bool fire_one(MonoTime now);
  // Waits for the next wake-up time to come, to change, or for close(); false after close().
  bool wait();
  void close();

 private:
  struct Entry {
    std::int64_t wake_ns;
    std::uint64_t id;
    std::shared_ptr<TickerSubscriber> subscriber;
    bool operator<(const Entry& other) const {
      return wake_ns != other.wake_ns ? wake_ns < other.wake_ns : id < other.id;
    }
  };
  using Entries = std::set<Entry>;

  Entries::node_type take_out(TickerSubscriber& subscriber);

  mutable std::mutex mutex_;
  std::condition_variable changed_;   // the first wake-up time, or closed_
  std::condition_variable finished_;  // a callback
  std::size_t subscribers_max_;
  std::size_t subscribers_ = 0;
  std::uint64_t next_id_ = 0;
  bool closed_ = false;
  const TickerSubscriber* running_ = nullptr;
  std::thread::id running_on_;
  Entries entries_;
};

}  // namespace symphony::runtime
