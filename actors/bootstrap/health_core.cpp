#include "actors/bootstrap/health_core.hpp"

#include <algorithm>
#include <utility>

#include "messages/result.hpp"

namespace symphony::bootstrap {
namespace {

using runtime::MonoTime;
using runtime::Nanos;

std::string seconds(Nanos span) {
  const auto tenths = std::chrono::duration_cast<std::chrono::milliseconds>(span).count() / 100;
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " s";
}

std::string messages_wait(std::int64_t count) {
  return count == 1 ? "1 message waits" : std::to_string(count) + " messages wait";
}

std::string reason_of(const Observation& one, Nanos idle, bool starved) {
  if (one.running)
    return "no progress for " + seconds(idle) + " inside a handler, " + messages_wait(one.waiting);
  return messages_wait(one.waiting) + " and no progress for " + seconds(idle) +
         (starved ? ": stuck components hold the threads" : "");
}

}  // namespace

HealthCore::HealthCore(const HealthRules& rules) : rules_(rules) {
  SYMPHONY_ASSERT(rules.interval > Nanos::zero() && rules.stuck_after > Nanos::zero());
}

HealthCore::Watched HealthCore::observe(const Observation& one, Nanos elapsed) const {
  const auto before = watched_.find({one.name, one.life});
  Watched now = before == watched_.end() ? Watched{} : before->second;
  const bool moved = before == watched_.end() || now.processed != one.processed ||
                     now.last_progress != one.last_progress;
  now.processed = one.processed;
  now.last_progress = one.last_progress;
  now.idle = moved || !has_work(one) ? Nanos::zero() : now.idle + elapsed;
  return now;
}

std::vector<Sick> HealthCore::look(MonoTime now, const std::vector<Observation>& seen) {
  const Nanos elapsed = last_look_ == MonoTime::min()
                            ? Nanos::zero()
                            : std::min<Nanos>(now - last_look_, 2 * rules_.interval);
  last_look_ = now;

  std::map<Key, Watched> watched;
  for (const auto& one : seen)
    watched.insert_or_assign({one.name, one.life}, observe(one, elapsed));
  watched_ = std::move(watched);

  const auto is_sick = [&](const Observation& one) {
    return watched_.at({one.name, one.life}).idle > rules_.stuck_after;
  };
  const bool threads_lost = std::any_of(
      seen.begin(), seen.end(), [&](const auto& one) { return one.running && is_sick(one); });

  std::vector<Sick> sick;
  for (const auto& one : seen) {
    if (one.fenced || !is_sick(one)) continue;
    auto& state = watched_.at({one.name, one.life});
    const bool starved = threads_lost && !one.running;
    const bool report = !starved && !state.reported && now >= state.not_before;
    state.reported |= report;
    sick.push_back({one.name, one.life, reason_of(one, state.idle, starved), report});
  }
  return sick;
}

void HealthCore::undelivered(const std::string& name, const Life& life, MonoTime now) {
  const auto found = watched_.find({name, life});
  if (found == watched_.end() || !found->second.reported) return;
  auto& state = found->second;
  state.reported = false;
  state.pause = std::min(std::max(2 * state.pause, rules_.interval), kPauseMax);
  state.not_before = now + state.pause;
}

}  // namespace symphony::bootstrap
