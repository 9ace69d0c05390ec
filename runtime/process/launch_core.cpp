#include "runtime/process/launch_core.hpp"

#include <algorithm>

namespace symphony::runtime {

LaunchCore::Actions LaunchCore::report() {
  Actions actions;
  if (exited_ && !reported_exit_) actions.report_exit = reported_exit_ = true;
  if (exited_ && gone_ && !over_) actions.report_gone = over_ = true;
  return actions;
}

LaunchCore::Actions LaunchCore::exited(bool others) {
  exited_ = true;
  gone_ = gone_ || !others;
  return report();
}

LaunchCore::Actions LaunchCore::all_gone() {
  gone_ = true;
  return report();
}

LaunchCore::Actions LaunchCore::end(Time now, Span grace) {
  Actions actions;
  if (over_) return actions;
  const Time kill_at = now + grace;
  if (!kill_at_) {
    actions.terminate = true;
    kill_at_ = kill_at;
  } else {
    kill_at_ = std::min(*kill_at_, kill_at);
  }
  actions.kill = tick(now).kill;
  return actions;
}

LaunchCore::Actions LaunchCore::tick(Time now) {
  Actions actions;
  if (over_ || !kill_at_ || now < *kill_at_) return actions;
  if (killed_ && now < *killed_ + kKillPeriod) return actions;
  actions.kill = true;
  killed_ = now;
  return actions;
}

std::optional<LaunchCore::Time> LaunchCore::next_tick() const {
  if (over_ || !kill_at_) return std::nullopt;
  return killed_ ? *killed_ + kKillPeriod : *kill_at_;
}

}  // namespace symphony::runtime
