// Random histories: a world that carries out the effects of a supervisor, lets children do whatever
// they like in any order, and watches that the promises hold.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <stdexcept>

#include "runtime/supervision/supervisor_core.hpp"

namespace symphony::runtime {
namespace {

using namespace std::chrono_literals;

std::string name_of(int child) {
  const std::string letter(1, static_cast<char>('a' + child % 26));
  return child < 26 ? letter : letter + std::to_string(child / 26);
}

// A number below `bound`, evenly: rapidcheck's own ranges stay near their start in small cases.
int pick(int bound) { return *rc::gen::resize(rc::kNominalSize, rc::gen::inRange(0, bound)); }

SupervisorSpec any_spec() {
  SupervisorSpec spec;
  spec.id = "s";
  spec.strategy = static_cast<Strategy>(pick(3));
  spec.intensity = {*rc::gen::element(0u, 1u, 3u, 20u, 1000u), *rc::gen::element<Nanos>(1s, 60s)};
  spec.backoff = {.initial = *rc::gen::element<Nanos>(0ms, 10ms, 2s), .max = 5s};
  const int count = *rc::gen::element(1, 2, 3, 4, 6);
  for (int i = 0; i < count; ++i) {
    ChildSpec child{.id = name_of(i), .kind = static_cast<ChildKind>(pick(3))};
    for (int need = 0; need < i; ++need)
      if (pick(3) == 0) child.needs.push_back(name_of(need));
    spec.children.push_back(std::move(child));
  }
  // Any order in the specification must do.
  if (*rc::gen::arbitrary<bool>()) std::reverse(spec.children.begin(), spec.children.end());
  return spec;
}

class World {
 public:
  explicit World(SupervisorSpec spec)
      : spec_(spec),
        next_(static_cast<int>(spec.children.size())),
        core_(SupervisorCore::make(std::move(spec), random_).value()) {}

  void step(const SupervisorEvent& event) { follow(core_.on_event(event, now_)); }

  // One more child, which needs whoever happens to be ready; or one less.
  void add_or_remove() {
    if (pick(2) == 0) {
      ChildSpec child{.id = name_of(next_++), .kind = static_cast<ChildKind>(pick(3))};
      for (const auto& [id, other] : alive_)
        if (other.ready && pick(3) == 0) child.needs.push_back(id);
      spec_.children.push_back(child);
      auto effects = core_.add(child, now_);
      if (!effects) return spec_.children.pop_back();
      added_.insert(child.id);
      follow(*effects);
    } else if (!spec_.children.empty()) {
      const std::string id =
          spec_.children[static_cast<std::size_t>(pick(static_cast<int>(spec_.children.size())))]
              .id;
      const bool needed = std::any_of(spec_.children.begin(), spec_.children.end(),
                                      [&](const auto& other) { return depends(other.id, id); });
      auto effects = core_.remove(id, now_);
      if (effects) {
        RC_ASSERT(!needed);
        leaving_.insert(id);
        follow(*effects);
      }
    }
  }

  void follow(const SupervisorCore::Effects& effects) {
    if (ended_) RC_ASSERT(effects.empty());
    for (const auto& effect : effects) {
      RC_ASSERT(!ended_);
      std::visit([&](const auto& what) { apply(what); }, effect);
    }
    RC_ASSERT(core_.ended() == ended_);
    for (const auto& child : core_.snapshot().children) {
      const auto found = alive_.find(child.id);
      RC_ASSERT(core_.living(child.id).has_value() == (found != alive_.end()));
      if (found != alive_.end()) RC_ASSERT(core_.living(child.id) == found->second.incarnation);
    }
  }

  void pass(Nanos span) {
    const MonoTime until = now_ + span;
    while (timer_ && timer_->at <= until) fire_timer();
    now_ = until;
  }
  void fire_timer() {
    RC_ASSERT(timer_.has_value());
    now_ = std::max(now_, timer_->at);
    step(TimerFired{std::exchange(timer_, std::nullopt)->token});
  }

  // Something happens to a child that lives, or an event of the past arrives.
  // One event in `calm` / 4 is not what was hoped for.
  void random_event(int calm) {
    if (pick(8) == 0) add_or_remove();
    if (spec_.children.empty()) return;
    const std::string id =
        spec_.children[static_cast<std::size_t>(pick(static_cast<int>(spec_.children.size())))].id;
    const auto found = alive_.find(id);
    if (found == alive_.end() || pick(10) == 0) {
      const std::uint64_t old = *rc::gen::inRange<std::uint64_t>(0, last_incarnation_[id] + 1);
      if (found != alive_.end() && old == found->second.incarnation) return;
      const auto before = core_.snapshot();
      step(*rc::gen::element<SupervisorEvent>(ChildReady{id, old}, ChildPrepared{id, old},
                                              ChildStuck{id, old, "old"},
                                              ChildExited{id, old, ExitKind::kFailed, "old"}));
      const auto after = core_.snapshot();
      for (std::size_t i = 0; i < before.children.size(); ++i)
        RC_ASSERT(before.children[i].last_exit == after.children[i].last_exit);
      return;
    }
    const std::uint64_t incarnation = found->second.incarnation;
    switch (pick(calm)) {
      case 0:
        step(ChildPrepared{id, incarnation});
        break;
      case 1:
        exits(id, ExitKind::kFailed);
        break;
      case 2:
        exits(id, ExitKind::kNormal);
        break;
      case 3:
        step(ChildStuck{id, incarnation, "stuck"});
        break;
      default:
        if (found->second.stopping) {
          exits(id, ExitKind::kNormal);
        } else {
          becomes_ready(id);
        }
    }
  }
  void exits(const std::string& id, ExitKind kind) {
    const std::uint64_t incarnation = alive_.at(id).incarnation;
    alive_.erase(id);
    step(ChildExited{id, incarnation, kind, "exit"});
  }

  void becomes_ready(const std::string& id) {
    Living& child = alive_.at(id);
    child.ready = true;
    step(ChildReady{id, child.incarnation});
  }

  void stop() {
    stop_asked_ = true;
    step(StopRequested{});
  }
  SupervisorCore& core() { return core_; }
  const auto& alive() const { return alive_; }
  bool ended() const { return ended_; }
  bool failed() const { return failed_; }
  bool announced() const { return announced_; }
  bool has_timer() const { return timer_.has_value(); }
  MonoTime now() const { return now_; }

 private:
  struct Living {
    std::uint64_t incarnation;
    bool ready = false;
    bool stopping = false;
  };

  void apply(const Spawn& it) {
    RC_ASSERT(!alive_.contains(it.id));  // never two living incarnations
    RC_ASSERT(it.incarnation == ++last_incarnation_[it.id]);
    RC_ASSERT(!stop_asked_);
    for (const auto& need : spec_of(it.id).needs) {
      const auto found = alive_.find(need);
      if (found == alive_.end())
        RC_ASSERT(state_of(need) == ChildState::kFinished);
      else
        RC_ASSERT(found->second.ready && !found->second.stopping);
    }
    alive_[it.id] = {it.incarnation};
  }
  void apply(const Stop& it) {
    auto& child = alive_.at(it.id);
    RC_ASSERT(child.incarnation == it.incarnation);
    RC_ASSERT(!child.stopping);
    RC_ASSERT(it.drain_by > now_ && it.stop_by > it.drain_by);
    for (const auto& other : alive_) RC_ASSERT(!depends(other.first, it.id));
    child.stopping = true;
  }
  void apply(const Abandon& it) {
    RC_ASSERT(alive_.at(it.id).incarnation == it.incarnation);
    alive_.erase(it.id);
  }
  void apply(const Removed& it) {
    RC_ASSERT(!alive_.contains(it.id));
    RC_ASSERT(leaving_.contains(it.id) || (added_.contains(it.id) && !it.reason.empty()));
    std::erase_if(spec_.children, [&](const auto& child) { return child.id == it.id; });
  }
  void apply(const ArmTimer& it) {
    RC_ASSERT(it.at > now_);
    timer_ = it;
  }
  void apply(const Ready&) {
    RC_ASSERT(!announced_);
    announced_ = true;
    for (const auto& child : core_.snapshot().children)
      RC_ASSERT(child.state == ChildState::kReady || child.state == ChildState::kFinished);
  }
  void apply(const Stopped&) {
    RC_ASSERT(stop_asked_);
    RC_ASSERT(alive_.empty());
    ended_ = true;
  }
  void apply(const Failed& it) {
    RC_ASSERT(alive_.empty());
    RC_ASSERT(!it.reason.empty());
    if (it.cause == Failed::Cause::kStart) RC_ASSERT(!announced_);
    ended_ = failed_ = true;
  }

  bool depends(const std::string& from, const std::string& on) const {
    const auto& needs = spec_of(from).needs;
    return std::any_of(needs.begin(), needs.end(),
                       [&](const std::string& need) { return need == on || depends(need, on); });
  }
  const ChildSpec& spec_of(const std::string& id) const {
    for (const auto& child : spec_.children)
      if (child.id == id) return child;
    throw std::logic_error("no child " + id);
  }
  ChildState state_of(const std::string& id) const {
    for (const auto& child : core_.snapshot().children)
      if (child.id == id) return child.state;
    throw std::logic_error("no child " + id);
  }

  SeededRandom random_{7};
  SupervisorSpec spec_;
  int next_;  // child to be added
  std::set<std::string> added_;
  std::set<std::string> leaving_;
  SupervisorCore core_;
  MonoTime now_{1h};
  std::optional<ArmTimer> timer_;
  std::map<std::string, Living> alive_;
  std::map<std::string, std::uint64_t> last_incarnation_;
  bool stop_asked_ = false;
  bool announced_ = false;
  bool ended_ = false;
  bool failed_ = false;
};

void any_steps(World& world, int steps) {
  const int calm = *rc::gen::element(4, 8, 20, 60);
  for (int i = 0; i < steps; ++i) {
    if (pick(4) == 0)
      world.pass(*rc::gen::element<Nanos>(1ms, 50ms, 1s, 4s));
    else
      world.random_event(calm);
  }
}

// Every child does what it is told, until the supervisor comes to rest.
void settle(World& world) {
  for (int round = 0; round < 1000 && !world.ended(); ++round) {
    bool moved = false;
    const auto alive = world.alive();
    for (const auto& [id, child] : alive) {
      if (!world.alive().contains(id)) continue;
      if (child.stopping) {
        world.exits(id, ExitKind::kNormal);
        moved = true;
      } else if (!child.ready) {
        world.becomes_ready(id);
        moved = true;
      }
    }
    if (moved) continue;
    if (!world.has_timer()) break;
    world.fire_timer();
  }
}

RC_GTEST_PROP(SupervisorHistory, KeepsItsPromisesInAnyOrderOfEventsAndEnds, ()) {
  World world(any_spec());
  if (pick(10) > 0) world.step(StartRequested{});
  if (pick(3) > 0) settle(world);
  any_steps(world, pick(150));
  world.stop();
  any_steps(world, pick(20));
  // Whoever still hangs is abandoned at its deadline: nothing but the timer is needed to end.
  int timers = 0;
  while (!world.ended()) {
    world.fire_timer();
    RC_ASSERT(++timers < 100);
  }
  RC_ASSERT(world.alive().empty());
}

RC_GTEST_PROP(SupervisorHistory, BecomesReadyOrFailsWhenChildrenAreLeftToThemselves, ()) {
  World world(any_spec());
  world.step(StartRequested{});
  if (pick(3) > 0) settle(world);
  any_steps(world, pick(100));
  settle(world);
  RC_ASSERT(world.ended() || world.announced());
  if (!world.ended())
    for (const auto& child : world.core().snapshot().children)
      RC_ASSERT(child.state == ChildState::kReady || child.state == ChildState::kFinished);
}

RC_GTEST_PROP(SupervisorHistory, EscalatesExactlyWhenTheIntensityIsExceeded, ()) {
  SupervisorSpec spec{.id = "s",
                      .intensity = {*rc::gen::inRange(0u, 5u), 10s},
                      .backoff = {.initial = 0ms, .max = 0ms, .jitter = 0},
                      .children = {{.id = "a"}, {.id = "b"}, {.id = "c"}}};
  const std::uint32_t limit = spec.intensity.restarts_max;
  World world(std::move(spec));
  world.step(StartRequested{});
  const auto all_ready = [&] {
    const auto alive = world.alive();
    for (const auto& [id, child] : alive) world.step(ChildReady{id, child.incarnation});
  };
  all_ready();
  std::deque<MonoTime> deaths;
  for (int i = 0; i < 60; ++i) {
    world.pass(*rc::gen::element<Nanos>(1ms, 1s, 3s, 9s, 10s));
    world.exits(name_of(pick(3)), ExitKind::kFailed);
    deaths.push_back(world.now());
    while (world.now() - deaths.front() > 10s) deaths.pop_front();
    const bool exceeded = deaths.size() > limit;
    RC_ASSERT((world.core().state() == SupervisorState::kStopping || world.failed()) == exceeded);
    if (exceeded) return;
    all_ready();
  }
}

}  // namespace
}  // namespace symphony::runtime
