// One alarm clock for many actors.
//
// An actor keeps its own timers in a wheel and needs only one thing from outside: to be woken when
// the first of them is due. A `Ticker` gives each subscriber one wake-up time. Asking for an
// earlier one replaces it, asking for a later one does nothing: the subscriber asks again after
// each wake-up, from what is then its first timer. That makes the common case (a deadline later
// than the one already waited for) a single atomic read.
//
// The callback runs once for each wake-up time reached, on the ticker's thread, and must be cheap,
// thread-safe and not throw (it puts a message into a mailbox). It may call wake_at() and cancel()
// of any subscription.
//
// Limits: `subscribers_max` of the implementation. Thread-safe throughout.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "messages/result.hpp"
#include "runtime/time/clocks.hpp"

namespace symphony::runtime {

class TickerQueue;
struct TickerSubscriber;

// A place in a ticker; ends with its destruction. It may outlive the ticker: then it does nothing.
class TickerSubscription {
 public:
  TickerSubscription() = default;
  TickerSubscription(TickerSubscription&&) noexcept = default;
  TickerSubscription& operator=(TickerSubscription&& other) noexcept;
  ~TickerSubscription() { cancel(); }

  // Wakes the subscriber at `at` (at once when that has passed), or at the earlier time already
  // set. Any thread.
  void wake_at(MonoTime at) const;
  // After it returns the callback is not running and will not run again; called from the callback
  // itself, it will not run again. Any thread, but not at the same time as a move or destruction.
  void cancel();
  explicit operator bool() const noexcept { return subscriber_ != nullptr; }

 private:
  friend class TickerQueue;
  TickerSubscription(std::shared_ptr<TickerQueue> queue,
                     std::shared_ptr<TickerSubscriber> subscriber)
      : queue_(std::move(queue)), subscriber_(std::move(subscriber)) {}

  std::shared_ptr<TickerQueue> queue_;
  std::shared_ptr<TickerSubscriber> subscriber_;
};

class Ticker {
 public:
  static constexpr std::size_t kDefaultSubscribersMax = 1 << 20;

  Ticker() = default;
  Ticker(const Ticker&) = delete;
  Ticker& operator=(const Ticker&) = delete;
  virtual ~Ticker() = default;

  // Fails with resourceExhausted when there are `subscribers_max`, with unavailable after stop().
  [[nodiscard]] virtual Result<TickerSubscription> subscribe(std::function<void()> on_wake) = 0;
};

// Wakes from a thread of its own, by the steady clock of the system.
class ThreadTicker final : public Ticker {
 public:
  explicit ThreadTicker(std::size_t subscribers_max = kDefaultSubscribersMax);
  ~ThreadTicker() override { stop(); }

  [[nodiscard]] Result<TickerSubscription> subscribe(std::function<void()> on_wake) override;
  // Ends the thread; nothing is woken afterwards. Again: no effect. Not from a callback.
  void stop();

 private:
  void run();

  std::shared_ptr<TickerQueue> queue_;
  std::thread thread_;
};

// Wakes when a test says so, on the calling thread, in the order of wake-up times and, where they
// are equal, of subscription.
class ManualTicker final : public Ticker {
 public:
  // `clocks` must outlive the ticker.
  explicit ManualTicker(ManualClocks& clocks, std::size_t subscribers_max = kDefaultSubscribersMax);
  ~ManualTicker() override;

  [[nodiscard]] Result<TickerSubscription> subscribe(std::function<void()> on_wake) override;

  // The first wake-up time, or nothing when nobody waits.
  [[nodiscard]] std::optional<MonoTime> next_wake() const;
  // Wakes all whose time has come by the clocks; returns how many.
  std::size_t fire_due();
  // Moves the clocks from one wake-up to the next, waking on the way, until `by` has passed. What
  // is woken sees the time it asked for. Returns how many were woken.
  std::size_t advance(Nanos by);

 private:
  ManualClocks& clocks_;
  std::shared_ptr<TickerQueue> queue_;
};

}  // namespace symphony::runtime
