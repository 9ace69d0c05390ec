#include "runtime/component/watchdog.hpp"

#include <pthread.h>

#include <algorithm>
#include <utility>

#include "messages/result.hpp"
#include "runtime/telemetry/telemetry_registry.hpp"

namespace symphony::runtime {

WatchdogCore::WatchdogCore(const WatchdogOptions& options) : options_(options) {
  SYMPHONY_ASSERT(options.workers > 0);
  SYMPHONY_ASSERT(options.limit > Nanos::zero() && options.interval > Nanos::zero());
}

std::vector<std::string> WatchdogCore::look(MonoTime now, const std::vector<BusyHandler>& busy) {
  // A look that comes late says that the watchdog did not run, not that others did nothing.
  const Nanos elapsed = last_look_ == MonoTime::min()
                            ? Nanos::zero()
                            : std::min<Nanos>(now - last_look_, 2 * options_.interval);
  last_look_ = now;
  std::map<const void*, Seen> seen;
  std::vector<std::string> lost;
  for (const auto& handler : busy) {
    Seen present{handler.since, Nanos::zero()};
    const auto before = seen_.find(handler.life);
    if (before != seen_.end() && before->second.since == handler.since)
      present.watched = before->second.watched + elapsed;
    if (present.watched > options_.limit) lost.push_back(handler.component);
    seen.emplace(handler.life, present);
  }
  seen_ = std::move(seen);
  if (2 * lost.size() < options_.workers) lost.clear();
  return lost;
}

std::vector<BusyHandler> busy_handlers(const TelemetryRegistry& telemetry) {
  std::vector<BusyHandler> busy;
  const auto add = [&](const std::vector<std::shared_ptr<const ComponentStats>>& every) {
    for (const auto& stats : every)
      if (const auto running = stats->running())
        busy.push_back({stats.get(), running->since, stats->name()});
  };
  add(telemetry.all());
  add(telemetry.former());
  return busy;
}

Watchdog::Watchdog(const WatchdogOptions& options, const TelemetryRegistry& telemetry,
                   const Clocks& clocks, OnLost on_lost)
    : options_(options),
      telemetry_(telemetry),
      clocks_(clocks),
      on_lost_(std::move(on_lost)),
      thread_([this] { run(); }) {}

Watchdog::~Watchdog() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  stopped_.notify_all();
  thread_.join();
}

void Watchdog::run() {
  ::pthread_setname_np(::pthread_self(), "watchdog");
  WatchdogCore core{options_};
  std::unique_lock lock(mutex_);
  while (!stopped_.wait_for(lock, options_.interval, [&] { return stopping_; })) {
    lock.unlock();
    const auto lost = core.look(clocks_.mono(), busy_handlers(telemetry_));
    if (!lost.empty()) return on_lost_(lost);
    lock.lock();
  }
}

}  // namespace symphony::runtime
