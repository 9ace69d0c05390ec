#include "runtime/supervision/supervisor_core.hpp"

#include <algorithm>
#include <functional>
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

SupervisorCore::SupervisorCore(SupervisorSpec spec, Random& random)
    : spec_(std::move(spec)), random_(&random) {}

SupervisorCore::Child& SupervisorCore::insert(ChildSpec spec, std::vector<Child*> needs) {
  const Place place = next_place_++;
  Child& child =
      children_
          .emplace(place, Child{.spec = std::move(spec), .place = place, .needs = std::move(needs)})
          .first->second;
  by_id_.emplace(child.spec.id, &child);
  for (Child* need : child.needs) {
    need->needed_by.push_back(&child);
    if (!is_up(*need)) ++child.unmet;
  }
  may_start_.insert(place);
  return child;
}

void SupervisorCore::erase(Child& child, std::string reason, Effects& effects) {
  for (Child* need : child.needs) std::erase(need->needed_by, &child);
  unschedule(child);
  held_.erase(child.place);
  if (is_up(child)) --up_;
  effects.push_back(Removed{child.spec.id, std::move(reason)});
  by_id_.erase(child.spec.id);
  children_.erase(child.place);
}

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

bool SupervisorCore::is_up(const Child& child) noexcept {
  return child.state == ChildState::kReady || child.state == ChildState::kFinished;
}

SupervisorCore::Child* SupervisorCore::find(std::string_view id) const noexcept {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : found->second;
}

SupervisorCore::Child* SupervisorCore::find(std::string_view id,
                                            std::uint64_t incarnation) const noexcept {
  Child* child = find(id);
  return child != nullptr && lives(*child) && child->incarnation == incarnation ? child : nullptr;
}

// ---- what is counted ----------------------------------------------------------------------------

void SupervisorCore::set_state(Child& child, ChildState state) {
  const bool lived = lives(child);
  const bool was_up = is_up(child);
  const bool was_used = in_use(child);
  child.state = state;
  unschedule(child);
  if (const bool alive = lives(child); alive != lived) {
    alive ? ++living_ : --living_;
    if (child.held) alive ? ++held_living_ : --held_living_;
  }
  if (const bool up = is_up(child); up != was_up) {
    up ? ++up_ : --up_;
    for (Child* other : child.needed_by) {
      up ? --other->unmet : ++other->unmet;
      if (other->unmet == 0) may_start_.insert(other->place);
    }
  }
  if (in_use(child) != was_used) use_changed(child, !was_used);
  if (state == ChildState::kWaiting) may_start_.insert(child.place);
}

// Also through siblings that are down themselves: what drains may still use what lies two steps
// below it.
void SupervisorCore::use_changed(Child& child, bool used) {
  std::vector<Child*> changed{&child};
  while (!changed.empty()) {
    Child* next = changed.back();
    changed.pop_back();
    for (Child* need : next->needs) {
      const bool was_used = in_use(*need);
      used ? ++need->in_use : --need->in_use;
      if (need->in_use == 0) must_stop_.insert(need->place);
      if (in_use(*need) != was_used) changed.push_back(need);
    }
  }
}

void SupervisorCore::hold(Child& child) {
  if (child.held) return;
  child.held = true;
  held_.insert(child.place);
  if (!lives(child)) return;
  ++held_living_;
  must_stop_.insert(child.place);
}

void SupervisorCore::schedule(Child& child, MonoTime at) {
  unschedule(child);
  child.due = at;
  due_.emplace(at, child.place);
}

void SupervisorCore::unschedule(Child& child) {
  if (child.due) due_.erase({*child.due, child.place});
  child.due.reset();
}

// ---- events -------------------------------------------------------------------------------------

SupervisorCore::Effects SupervisorCore::on_event(const SupervisorEvent& event, MonoTime now) {
  SYMPHONY_ASSERT(now >= now_);
  now_ = now;
  Effects effects;
  if (ended()) return effects;
  std::visit([&](const auto& what) { handle(what, now, effects); }, event);
  settle(now, effects);
  return effects;
}

Result<SupervisorCore::Effects> SupervisorCore::remove(std::string_view id, MonoTime now) {
  SYMPHONY_ASSERT(now >= now_);
  if (ended())
    return Error{Errc::FAILED_PRECONDITION,
                 spec_.id + " has " + std::string{to_string(state_)} + " already", "child"};
  Child* child = find(id);
  if (child == nullptr)
    return Error{Errc::NOT_FOUND, "there is no child " + std::string{id}, "child"};
  if (child->leaving)
    return Error{Errc::FAILED_PRECONDITION, child->spec.id + " is being removed already", "child"};
  if (!child->needed_by.empty())
    return Error{Errc::FAILED_PRECONDITION,
                 child->spec.id + " is needed by " + child->needed_by.front()->spec.id, "child"};
  now_ = now;
  Effects effects;
  if (lives(*child)) {
    child->leaving = true;
    must_stop_.insert(child->place);
  } else {
    erase(*child, "", effects);
  }
  settle(now, effects);
  return effects;
}

void SupervisorCore::settle(MonoTime now, Effects& effects) {
  if (ended()) return;
  expire(now, effects);
  stop_what_must(now, effects);
  release_group();
  start_what_may(now, effects);
  announce(effects);
  arm(effects);
}

void SupervisorCore::handle(const StartRequested&, MonoTime, Effects&) {
  if (state_ == SupervisorState::kIdle) state_ = SupervisorState::kStarting;
}

void SupervisorCore::handle(const StopRequested&, MonoTime, Effects&) { begin_stopping(); }

void SupervisorCore::handle(const ChildPrepared& event, MonoTime now, Effects&) {
  Child* child = find(event.id, event.incarnation);
  if (child == nullptr || child->state != ChildState::kPreparing) return;
  set_state(*child, ChildState::kStarting);
  child->deadline = now + child->spec.start_timeout;
  schedule(*child, child->deadline);
}

void SupervisorCore::handle(const ChildReady& event, MonoTime now, Effects&) {
  Child* child = find(event.id, event.incarnation);
  if (child == nullptr) return;
  if (child->state != ChildState::kPreparing && child->state != ChildState::kStarting) return;
  set_state(*child, ChildState::kReady);
  child->on_trial = false;
  child->ready_since = now;
}

void SupervisorCore::handle(const ChildExited& event, MonoTime now, Effects& effects) {
  if (Child* child = find(event.id, event.incarnation))
    on_down(*child, event.kind, event.reason, now, effects);
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
  on_down(child, ExitKind::kFailed, std::move(reason), now, effects);
}

void SupervisorCore::on_down(Child& child, ExitKind kind, std::string reason, MonoTime now,
                             Effects& effects) {
  const ChildState was = child.state;
  set_state(child, ChildState::kWaiting);
  child.last_exit = std::move(reason);
  if (child.leaving) return erase(child, "", effects);
  if (child.on_trial) return erase(child, child.last_exit, effects);
  if (state_ == SupervisorState::kStopping) return;
  const bool once = child.spec.kind == ChildKind::kTemporary;
  if (once && child.added && child.needed_by.empty()) return erase(child, child.last_exit, effects);
  if (child.held) {
    if (once) set_state(child, ChildState::kFinished);
    return;
  }

  const bool done = once || (child.spec.kind == ChildKind::kTransient && kind == ExitKind::kNormal);
  const bool was_ready = was == ChildState::kReady;
  if (state_ == SupervisorState::kStarting && !was_ready && !(done && kind == ExitKind::kNormal)) {
    fail(Failed{Failed::Cause::kStart, child.spec.id,
                "child " + child.spec.id + " did not start: " + child.last_exit});
  } else if (done) {
    set_state(child, ChildState::kFinished);
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
    fail(Failed{Failed::Cause::kIntensity, child.spec.id,
                "more than " + std::to_string(spec_.intensity.restarts_max) + " restarts within " +
                    in_ms(spec_.intensity.window) + ", the last of " + child.spec.id + ": " +
                    child.last_exit});
    return;
  }
  ++child.failures_in_a_row;
  child.not_before = now + backoff_delay(child.failures_in_a_row);
  if (child.not_before > now) schedule(child, child.not_before);
  hold_group(child);
}

void SupervisorCore::hold_group(const Child& died) {
  if (spec_.strategy == Strategy::kOneForOne) return;
  const bool all = spec_.strategy == Strategy::kOneForAll;
  for (auto at = all ? children_.begin() : children_.find(died.place); at != children_.end();
       ++at) {
    Child& child = at->second;
    if (child.state == ChildState::kFinished) {
      if (child.spec.kind == ChildKind::kTemporary) continue;
      set_state(child, ChildState::kWaiting);
    }
    hold(child);
  }
}

void SupervisorCore::begin_stopping() {
  if (state_ == SupervisorState::kStopping) return;
  state_ = SupervisorState::kStopping;
  for (auto& [place, child] : children_) {
    if (lives(child))
      must_stop_.insert(place);
    else
      unschedule(child);  // it waits for no start any more
  }
}

void SupervisorCore::fail(Failed failure) {
  failure_ = std::move(failure);
  begin_stopping();
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
  std::vector<Place> late;
  while (!due_.empty() && due_.begin()->first <= now) {
    Child& child = children_.at(due_.begin()->second);
    unschedule(child);
    if (lives(child))
      late.push_back(child.place);
    else
      may_start_.insert(child.place);
  }
  // In reverse, so that of several that time out together the dependants go first.
  std::sort(late.begin(), late.end(), std::greater<>{});
  for (const Place place : late) {
    Child& child = children_.at(place);
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
  const auto reviewed = std::exchange(must_stop_, {});
  for (auto place = reviewed.rbegin(); place != reviewed.rend(); ++place) {
    const auto found = children_.find(*place);
    if (found == children_.end()) continue;
    Child& child = found->second;
    if (child.in_use > 0 || !(all || child.held || child.leaving)) continue;
    if (!lives(child) || child.state == ChildState::kStopping) continue;
    set_state(child, ChildState::kStopping);
    const MonoTime drain_by = now + child.spec.drain_timeout;
    child.deadline = drain_by + child.spec.stop_timeout;
    schedule(child, child.deadline);
    effects.push_back(Stop{child.spec.id, child.incarnation, drain_by, child.deadline});
  }
}

void SupervisorCore::release_group() {
  if (held_living_ > 0) return;
  for (const Place place : std::exchange(held_, {})) {
    children_.at(place).held = false;
    may_start_.insert(place);
  }
}

void SupervisorCore::start_what_may(MonoTime now, Effects& effects) {
  if (state_ != SupervisorState::kStarting && state_ != SupervisorState::kRunning) return;
  for (const Place place : std::exchange(may_start_, {})) {
    const auto found = children_.find(place);
    if (found == children_.end()) continue;
    Child& child = found->second;
    if (child.state != ChildState::kWaiting || child.held || child.not_before > now) continue;
    if (child.unmet > 0) continue;
    set_state(child, ChildState::kPreparing);
    ++child.incarnation;
    child.deadline = now + child.spec.prepare_timeout;
    schedule(child, child.deadline);
    effects.push_back(Spawn{child.spec.id, child.incarnation});
  }
}

void SupervisorCore::announce(Effects& effects) {
  if (state_ == SupervisorState::kStarting) {
    if (up_ < children_.size()) return;
    state_ = SupervisorState::kRunning;
    effects.push_back(Ready{});
  } else if (state_ == SupervisorState::kStopping && living_ == 0) {
    state_ = failure_ ? SupervisorState::kFailed : SupervisorState::kStopped;
    if (failure_)
      effects.push_back(*failure_);
    else
      effects.push_back(Stopped{});
  }
}

void SupervisorCore::arm(Effects& effects) {
  if (due_.empty()) {
    // A timer that is still under way becomes stale.
    if (armed_) ++timer_token_;
    armed_.reset();
  } else if (const MonoTime next = due_.begin()->first; armed_ != next) {
    armed_ = next;
    effects.push_back(ArmTimer{next, ++timer_token_});
  }
}

// ---- views --------------------------------------------------------------------------------------

SupervisorSnapshot SupervisorCore::snapshot() const {
  SupervisorSnapshot view{spec_.id, spec_.strategy, state_, {}};
  view.children.reserve(children_.size());
  for (const auto& [place, child] : children_) {
    const bool backs_off = child.state == ChildState::kWaiting && child.not_before > now_ &&
                           state_ != SupervisorState::kStopping && !ended();
    view.children.push_back({child.spec.id, child.spec.kind,
                             backs_off ? ChildState::kBackingOff : child.state, child.incarnation,
                             child.incarnation == 0 ? 0 : child.incarnation - 1, child.last_exit});
  }
  return view;
}

std::optional<std::uint64_t> SupervisorCore::living(std::string_view id) const {
  const Child* child = find(id);
  if (child == nullptr || !lives(*child)) return std::nullopt;
  return child->incarnation;
}

}  // namespace symphony::runtime
