#include "runtime/time/ticker.hpp"

#include <pthread.h>

#include <string>
#include <utility>

#include "runtime/time/ticker_queue.hpp"

namespace symphony::runtime {
namespace {

std::int64_t ns_of(MonoTime at) { return Nanos{at.time_since_epoch()}.count(); }
MonoTime time_of(std::int64_t ns) { return MonoTime{Nanos{ns}}; }

}  // namespace

// ---- queue --------------------------------------------------------------------------------------

Result<TickerSubscription> TickerQueue::subscribe(std::function<void()> on_wake) {
  auto subscriber = std::make_shared<TickerSubscriber>();
  subscriber->on_wake = std::move(on_wake);
  std::lock_guard lock(mutex_);
  if (closed_) return Error{Errc::UNAVAILABLE, "the ticker has stopped"};
  if (subscribers_ >= subscribers_max_)
    return Error{Errc::RESOURCE_EXHAUSTED, "the ticker serves its limit of " +
                                               std::to_string(subscribers_max_) + " subscribers"};
  ++subscribers_;
  subscriber->id = next_id_++;
  return TickerSubscription(shared_from_this(), std::move(subscriber));
}

TickerQueue::Entries::node_type TickerQueue::take_out(TickerSubscriber& subscriber) {
  const std::int64_t set_to = subscriber.wake_ns.load(std::memory_order_relaxed);
  if (set_to == TickerSubscriber::kNever) return {};
  return entries_.extract(Entry{set_to, subscriber.id, nullptr});
}

void TickerQueue::wake_at(const std::shared_ptr<TickerSubscriber>& subscriber, MonoTime at) {
  const std::int64_t wake_ns = ns_of(at);
  // A wake-up that is just being delivered has been reset before its callback runs, so whoever
  // still reads the earlier time here is woken after this call and asks again.
  if (wake_ns >= subscriber->wake_ns.load(std::memory_order_acquire)) return;
  bool is_first = false;
  {
    std::lock_guard lock(mutex_);
    if (closed_ || subscriber->cancelled || wake_ns >= subscriber->wake_ns.load()) return;
    auto node = take_out(*subscriber);
    subscriber->wake_ns.store(wake_ns, std::memory_order_release);
    if (node.empty()) {
      entries_.insert(Entry{wake_ns, subscriber->id, subscriber});
    } else {
      node.value().wake_ns = wake_ns;
      entries_.insert(std::move(node));
    }
    is_first = entries_.begin()->subscriber == subscriber;
  }
  if (is_first) changed_.notify_one();
}

void TickerQueue::cancel(const std::shared_ptr<TickerSubscriber>& subscriber) {
  std::unique_lock lock(mutex_);
  if (!subscriber->cancelled) {
    take_out(*subscriber);
    subscriber->wake_ns.store(TickerSubscriber::kNever, std::memory_order_relaxed);
    subscriber->cancelled = true;
    --subscribers_;
  }
  finished_.wait(lock, [&] {
    return running_ != subscriber.get() || running_on_ == std::this_thread::get_id();
  });
}

std::optional<MonoTime> TickerQueue::next_wake() const {
  std::lock_guard lock(mutex_);
  if (entries_.empty()) return std::nullopt;
  return time_of(entries_.begin()->wake_ns);
}

std::size_t TickerQueue::count_due(MonoTime now) const {
  std::lock_guard lock(mutex_);
  std::size_t due = 0;
  for (const Entry& entry : entries_) {
    if (entry.wake_ns > ns_of(now)) break;
    ++due;
  }
  return due;
}

bool TickerQueue::fire_one(MonoTime now) {
  std::shared_ptr<TickerSubscriber> subscriber;
  {
    std::lock_guard lock(mutex_);
    if (closed_ || entries_.empty() || entries_.begin()->wake_ns > ns_of(now)) return false;
    subscriber = std::move(entries_.extract(entries_.begin()).value().subscriber);
    subscriber->wake_ns.store(TickerSubscriber::kNever, std::memory_order_release);
    running_ = subscriber.get();
    running_on_ = std::this_thread::get_id();
  }
  subscriber->on_wake();
  {
    std::lock_guard lock(mutex_);
    running_ = nullptr;
  }
  finished_.notify_all();
  return true;
}

bool TickerQueue::wait() {
  std::unique_lock lock(mutex_);
  if (closed_) return false;
  if (entries_.empty())
    changed_.wait(lock);
  else
    changed_.wait_until(lock, time_of(entries_.begin()->wake_ns));
  return !closed_;
}

void TickerQueue::close() {
  Entries dropped;  // ends after the mutex is released: callbacks own what they like
  {
    std::lock_guard lock(mutex_);
    closed_ = true;
    dropped.swap(entries_);
    for (const Entry& entry : dropped)
      entry.subscriber->wake_ns.store(TickerSubscriber::kNever, std::memory_order_relaxed);
  }
  changed_.notify_all();
}

// ---- subscription -------------------------------------------------------------------------------

TickerSubscription& TickerSubscription::operator=(TickerSubscription&& other) noexcept {
  if (this != &other) {
    cancel();
    queue_ = std::move(other.queue_);
    subscriber_ = std::move(other.subscriber_);
  }
  return *this;
}

void TickerSubscription::wake_at(MonoTime at) const {
  if (subscriber_) queue_->wake_at(subscriber_, at);
}

void TickerSubscription::cancel() {
  if (subscriber_) queue_->cancel(subscriber_);
}

// ---- tickers ------------------------------------------------------------------------------------

ThreadTicker::ThreadTicker(std::size_t subscribers_max)
    : queue_(std::make_shared<TickerQueue>(subscribers_max)), thread_([this] { run(); }) {}

Result<TickerSubscription> ThreadTicker::subscribe(std::function<void()> on_wake) {
  return queue_->subscribe(std::move(on_wake));
}

void ThreadTicker::run() {
  ::pthread_setname_np(::pthread_self(), "ticker");
  while (queue_->wait()) {
    while (queue_->fire_one(std::chrono::steady_clock::now())) {
    }
  }
}

void ThreadTicker::stop() {
  queue_->close();
  if (thread_.joinable()) thread_.join();
}

ManualTicker::ManualTicker(ManualClocks& clocks, std::size_t subscribers_max)
    : clocks_(clocks), queue_(std::make_shared<TickerQueue>(subscribers_max)) {}

ManualTicker::~ManualTicker() { queue_->close(); }

Result<TickerSubscription> ManualTicker::subscribe(std::function<void()> on_wake) {
  return queue_->subscribe(std::move(on_wake));
}

std::optional<MonoTime> ManualTicker::next_wake() const { return queue_->next_wake(); }

std::size_t ManualTicker::fire_due() {
  // A callback that asks for a time that has passed is woken by the next call: no endless loop.
  std::size_t fired = 0;
  const MonoTime now = clocks_.mono();
  for (std::size_t due = queue_->count_due(now); due > 0 && queue_->fire_one(now); --due) ++fired;
  return fired;
}

std::size_t ManualTicker::advance(Nanos by) {
  const MonoTime until = clocks_.mono() + by;
  std::size_t fired = 0;
  for (auto next = next_wake(); next && *next <= until; next = next_wake()) {
    clocks_.advance_to(*next);
    fired += fire_due();
  }
  clocks_.advance_to(until);
  return fired;
}

}  // namespace symphony::runtime
