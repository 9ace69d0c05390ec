#include "runtime/supervision/supervisor_core.hpp"

#include <algorithm>
#include <utility>

namespace symphony::runtime {
namespace {

// A backoff doubles at most this often; the maximum is reached long before.
constexpr std::uint32_t kDoublingsMax = 40;

std::string in_ms(Nanos span) {
  return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(span).count()) +
         " ms";
}

}  // namespace

SupervisorCore::SupervisorCore(SupervisorSpec spec, std::vector<Child> children, Random& random)
    : spec_(std::move(spec)), children_(std::move(children)), random_(&random) {}

bool SupervisorCore::lives(const Child& child) noexcept {
  switch (child.state) {
    case ChildState::kPreparing:
    case ChildState::kStarting:
    case ChildState::kReady:
    case ChildState::kStopping:
      return true;
    case ChildState::kWaiting:
    case ChildState::kBackingOff:
    case ChildState::kFinished:
      return false;
  }
  return false;
}

bool SupervisorCore::anyone_lives() const noexcept {
  return std::any_of(children_.begin(), children_.end(), lives);
}

SupervisorCore::Child* SupervisorCore::find(std::string_view id,
                                            std::uint64_t incarnation) noexcept {
  for (Child& child : children_)
    if (child.spec.id == id)
      return lives(child) && child.incarnation == incarnation ? &child : nullptr;
  return nullptr;
}

std::vector<SupervisorEffect> SupervisorCore::on_event(const SupervisorEvent& event, MonoTime now) {
  SYMPHONY_ASSERT(now >= now_);
  now_ = now;
  Effects effects;
  if (ended()) return effects;
  std::visit([&](const auto& what) { handle(what, now, effects); }, event);
  expire(now, effects);
  stop_what_must(now, effects);
  release_group();
  start_what_may(now, effects);
  announce(effects);
  arm(now, effects);
  return effects;
}

// ---- events -------------------------------------------------------------------------------------

void SupervisorCore::handle(const StartRequested&, MonoTime, Effects&) {
  if (state_ == SupervisorState::kIdle) state_ = SupervisorState::kStarting;
}

void SupervisorCore::handle(const StopRequested&, MonoTime, Effects&) {
  state_ = SupervisorState::kStopping;
}

void SupervisorCore::handle(const ChildPrepared& event, MonoTime now, Effects&) {
  Child* child = find(event.id, event.incarnation);
  if (child == nullptr || child->state != ChildState::kPreparing) return;
  child->state = ChildState::kStarting;
  child->deadline = now + child->spec.start_timeout;
}

void SupervisorCore::handle(const ChildReady& event, MonoTime now, Effects&) {
  Child* child = find(event.id, event.incarnation);
  if (child == nullptr) return;
  if (child->state != ChildState::kPreparing && child->state != ChildState::kStarting) return;
  child->state = ChildState::kReady;
  child->ready_since = now;
}

void SupervisorCore::handle(const ChildExited& event, MonoTime now, Effects&) {
  if (Child* child = find(event.id, event.incarnation))
    on_down(*child, event.kind, event.reason, now);
}

void SupervisorCore::handle(const ChildStuck& event, MonoTime now, Effects& effects) {
  if (Child* child = find(event.id, event.incarnation)) abandon(*child, event.reason, now, effects);
}

void SupervisorCore::handle(const TimerFired& event, MonoTime, Effects&) {
  if (event.token == timer_token_) armed_.reset();
}

// ---- deaths -------------------------------------------------------------------------------------

void SupervisorCore::abandon(Child& child, std::string reason, MonoTime now, Effects& effects) {
  effects.push_back(Abandon{child.spec.id, child.incarnation});
  on_down(child, ExitKind::kFailed, std::move(reason), now);
}

void SupervisorCore::on_down(Child& child, ExitKind kind, std::string reason, MonoTime now) {
  const ChildState was = child.state;
  child.state = ChildState::kWaiting;
  child.last_exit = std::move(reason);
  if (state_ == SupervisorState::kStopping) return;
  if (child.held) {
    if (child.spec.kind == ChildKind::kTemporary) child.state = ChildState::kFinished;
    return;
  }

  const bool done = child.spec.kind == ChildKind::kTemporary ||
                    (child.spec.kind == ChildKind::kTransient && kind == ExitKind::kNormal);
  const bool was_ready = was == ChildState::kReady;
  if (state_ == SupervisorState::kStarting && !was_ready && !(done && kind == ExitKind::kNormal)) {
    give_up(Failed{Failed::Cause::kStart, child.spec.id,
                   "child " + child.spec.id + " did not start: " + child.last_exit});
  } else if (done) {
    child.state = ChildState::kFinished;
  } else {
    if (was_ready && now - child.ready_since >= spec_.backoff.reset_after)
      child.failures_in_a_row = 0;
    restart(child, now);
  }
}

void SupervisorCore::restart(Child& child, MonoTime now) {
  while (!restarts_.empty() && now - restarts_.front() > spec_.intensity.window)
    restarts_.pop_front();
  restarts_.push_back(now);
  if (restarts_.size() > spec_.intensity.restarts_max) {
    give_up(Failed{Failed::Cause::kIntensity, child.spec.id,
                   "more than " + std::to_string(spec_.intensity.restarts_max) +
                       " restarts within " + in_ms(spec_.intensity.window) + ", the last of " +
                       child.spec.id + ": " + child.last_exit});
    return;
  }
  ++child.failures_in_a_row;
  child.not_before = now + backoff_delay(child.failures_in_a_row);
  hold_group(child);
}

void SupervisorCore::hold_group(const Child& died) {
  if (spec_.strategy == Strategy::kOneForOne) return;
  bool in_group = spec_.strategy == Strategy::kOneForAll;
  for (Child& child : children_) {
    if (&child == &died) in_group = true;
    if (!in_group) continue;
    if (child.state == ChildState::kFinished) {
      if (child.spec.kind == ChildKind::kTemporary) continue;
      child.state = ChildState::kWaiting;
    }
    child.held = true;
  }
}

void SupervisorCore::give_up(Failed failure) {
  failure_ = std::move(failure);
  state_ = SupervisorState::kStopping;
}

Nanos SupervisorCore::backoff_delay(std::uint32_t failures_in_a_row) {
  const std::uint32_t doublings = std::min(failures_in_a_row - 1, kDoublingsMax);
  const double grown = static_cast<double>(spec_.backoff.initial.count()) *
                       static_cast<double>(std::uint64_t{1} << doublings);
  const double limited = std::min(grown, static_cast<double>(spec_.backoff.max.count()));
  return Nanos{static_cast<std::int64_t>(limited * (1.0 - spec_.backoff.jitter * random_->unit()))};
}

// ---- what follows -------------------------------------------------------------------------------

void SupervisorCore::expire(MonoTime now, Effects& effects) {
  // In reverse, so that of several that time out together the dependants go first.
  for (auto at = children_.rbegin(); at != children_.rend(); ++at) {
    Child& child = *at;
    if (!lives(child) || child.state == ChildState::kReady || child.deadline > now) continue;
    const ChildSpec& spec = child.spec;
    if (child.state == ChildState::kPreparing)
      abandon(child, "prepare took longer than " + in_ms(spec.prepare_timeout), now, effects);
    else if (child.state == ChildState::kStarting)
      abandon(child, "start took longer than " + in_ms(spec.start_timeout), now, effects);
    else
      abandon(child, "stop took longer than " + in_ms(spec.drain_timeout + spec.stop_timeout), now,
              effects);
  }
}

void SupervisorCore::stop_what_must(MonoTime now, Effects& effects) {
  const bool all = state_ == SupervisorState::kStopping;
  // Whether somebody lives who needs a child, be it through siblings that are down themselves: what
  // drains may still use what lies two steps below it.
  std::vector<bool> needed(children_.size());
  for (std::size_t at = children_.size(); at-- > 0;) {
    Child& child = children_[at];
    needed[at] =
        std::any_of(child.needed_by.begin(), child.needed_by.end(),
                    [&](std::size_t other) { return needed[other] || lives(children_[other]); });
    if (needed[at] || !(all || child.held)) continue;
    if (!lives(child) || child.state == ChildState::kStopping) continue;
    child.state = ChildState::kStopping;
    const MonoTime drain_by = now + child.spec.drain_timeout;
    child.deadline = drain_by + child.spec.stop_timeout;
    effects.push_back(Stop{child.spec.id, child.incarnation, drain_by, child.deadline});
  }
}

void SupervisorCore::release_group() {
  const bool going_down = std::any_of(children_.begin(), children_.end(), [](const Child& child) {
    return child.held && lives(child);
  });
  if (going_down) return;
  for (Child& child : children_) child.held = false;
}

void SupervisorCore::start_what_may(MonoTime now, Effects& effects) {
  if (state_ != SupervisorState::kStarting && state_ != SupervisorState::kRunning) return;
  for (Child& child : children_) {
    if (child.state != ChildState::kWaiting || child.held || child.not_before > now) continue;
    const bool may = std::all_of(child.needs.begin(), child.needs.end(), [&](std::size_t other) {
      return children_[other].state == ChildState::kReady ||
             children_[other].state == ChildState::kFinished;
    });
    if (!may) continue;
    child.state = ChildState::kPreparing;
    ++child.incarnation;
    child.deadline = now + child.spec.prepare_timeout;
    effects.push_back(Spawn{child.spec.id, child.incarnation});
  }
}

void SupervisorCore::announce(Effects& effects) {
  if (state_ == SupervisorState::kStarting) {
    const bool all_up = std::all_of(children_.begin(), children_.end(), [](const Child& child) {
      return child.state == ChildState::kReady || child.state == ChildState::kFinished;
    });
    if (!all_up) return;
    state_ = SupervisorState::kRunning;
    effects.push_back(Ready{});
  } else if (state_ == SupervisorState::kStopping && !anyone_lives()) {
    state_ = failure_ ? SupervisorState::kFailed : SupervisorState::kStopped;
    if (failure_)
      effects.push_back(*failure_);
    else
      effects.push_back(Stopped{});
  }
}

void SupervisorCore::arm(MonoTime now, Effects& effects) {
  std::optional<MonoTime> next;
  const auto consider = [&](MonoTime at) { next = next ? std::min(*next, at) : at; };
  const bool starts = state_ == SupervisorState::kStarting || state_ == SupervisorState::kRunning;
  for (const Child& child : children_) {
    if (lives(child)) {
      if (child.state != ChildState::kReady) consider(child.deadline);
    } else if (starts && child.state == ChildState::kWaiting && child.not_before > now) {
      consider(child.not_before);
    }
  }
  if (!next || ended()) {
    // A timer that is still under way becomes stale.
    if (armed_) ++timer_token_;
    armed_.reset();
  } else if (next != armed_) {
    armed_ = next;
    effects.push_back(ArmTimer{*next, ++timer_token_});
  }
}

// ---- views --------------------------------------------------------------------------------------

SupervisorSnapshot SupervisorCore::snapshot() const {
  SupervisorSnapshot view{spec_.id, spec_.strategy, state_, {}};
  view.children.reserve(children_.size());
  for (const Child& child : children_) {
    const bool backs_off = child.state == ChildState::kWaiting && child.not_before > now_ &&
                           state_ != SupervisorState::kStopping && !ended();
    view.children.push_back({child.spec.id, child.spec.kind,
                             backs_off ? ChildState::kBackingOff : child.state, child.incarnation,
                             child.incarnation == 0 ? 0 : child.incarnation - 1, child.last_exit});
  }
  return view;
}

std::optional<std::uint64_t> SupervisorCore::living(std::string_view id) const {
  for (const Child& child : children_)
    if (child.spec.id == id && lives(child)) return child.incarnation;
  return std::nullopt;
}

}  // namespace symphony::runtime
