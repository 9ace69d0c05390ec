// What a supervisor decides, without anything that does it.
//
// Events and the time go in, effects come out in the order in which they are to be carried out. The
// core spawns nothing, has no clock and is deterministic (jitter comes from the given Random), so
// that every history can be tested. The shell around it owns the actors: it carries out the effects
// and reports what happens as events. Not thread-safe: it belongs to one actor.
//
// The life of a child: waiting -> preparing -> starting -> ready -> stopping -> waiting | finished.
// Each start makes a new *incarnation* (1, 2, ...). At any time at most one incarnation of a child
// lives; a child that hangs (stuck in a handler, in prepare, in start or in stop) cannot be killed
// and is *abandoned*: it no longer counts as living, and events that carry an old incarnation are
// ignored.
//
// The life of the supervisor: idle -> starting -> running -> stopping -> stopped | failed.
//   - starting: children start in the order of their needs, independent ones in parallel. A child
//     that fails or times out before it is ready rolls all back in reverse, then the supervisor
//     fails. When all are ready or finished it announces Ready, once.
//   - running: a child that dies is restarted as its kind and the strategy say, after a backoff. A
//     failed restart counts as one more death. Too many of them in too short a time: all are
//     stopped and the supervisor fails.
//   - In a group restart (one-for-all, rest-for-one) the whole group is down before any of it
//     starts. Temporary children of the group are not started again, finished transient ones are.
//   - stopping: a child is told to stop once every sibling that needs it, directly or through
//     others, is down.
//
// Children may be added to a supervisor that starts or runs, last in its order, and taken from it.
// An added child is on trial until it is ready for the first time: should it fail before, it is
// removed, and no restart is counted. One that is temporary is removed when it ends.
//
// An event costs what it changes, whatever the number of children: who may start or must stop is
// reviewed where a count of needs or of dependants has reached zero.
//
// Every deadline is the core's own: it keeps one timer, and each ArmTimer replaces the one before.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "messages/result.hpp"
#include "runtime/ids/random.hpp"
#include "runtime/supervision/supervisor_spec.hpp"
#include "runtime/time/clocks.hpp"

namespace symphony::runtime {

// ---- events -------------------------------------------------------------------------------------

struct StartRequested {};
struct StopRequested {};
struct ChildPrepared {
  std::string id;
  std::uint64_t incarnation;
};
struct ChildReady {
  std::string id;
  std::uint64_t incarnation;
};
enum class ExitKind : std::uint8_t { kNormal, kFailed };
struct ChildExited {
  std::string id;
  std::uint64_t incarnation;
  ExitKind kind;
  std::string reason;  // for people
};
// Health found work waiting and no progress.
struct ChildStuck {
  std::string id;
  std::uint64_t incarnation;
  std::string reason;
};
struct TimerFired {
  std::uint64_t token;
};
using SupervisorEvent = std::variant<StartRequested, StopRequested, ChildPrepared, ChildReady,
                                     ChildExited, ChildStuck, TimerFired>;

// ---- effects ------------------------------------------------------------------------------------

// Make the child and let it prepare and start; report ChildPrepared, ChildReady or ChildExited.
struct Spawn {
  std::string id;
  std::uint64_t incarnation;
};
// Let the child drain until `drain_by`, then stop until `stop_by`; report ChildExited.
struct Stop {
  std::string id;
  std::uint64_t incarnation;
  MonoTime drain_by;
  MonoTime stop_by;
};
// Take the name away, drop its replies, ask it to exit and expect nothing.
struct Abandon {
  std::string id;
  std::uint64_t incarnation;
};
// Send TimerFired{token} at `at`; replaces the timer armed before.
struct ArmTimer {
  MonoTime at;
  std::uint64_t token;
};
// The child is one no more. `reason` says why, for people, unless that was asked for.
struct Removed {
  std::string id;
  std::string reason;
};
// Every child is ready or finished; sent once.
struct Ready {};
// Nothing lives, as was asked. The last effect.
struct Stopped {};
// Nothing lives, because of `child`. The last effect.
struct Failed {
  enum class Cause : std::uint8_t { kStart, kIntensity };
  Cause cause;
  std::string child;
  std::string reason;  // for people, says what happened
};
using SupervisorEffect =
    std::variant<Spawn, Stop, Abandon, ArmTimer, Removed, Ready, Stopped, Failed>;

// ---- what `tree` shows --------------------------------------------------------------------------

enum class ChildState : std::uint8_t {
  kWaiting,     // for its turn, or for the siblings it needs
  kBackingOff,  // for its restart
  kPreparing,
  kStarting,
  kReady,
  kStopping,
  kFinished,  // down for good
};
enum class SupervisorState : std::uint8_t {
  kIdle,
  kStarting,
  kRunning,
  kStopping,
  kStopped,
  kFailed,
};
std::string_view to_string(ChildState state) noexcept;
std::string_view to_string(SupervisorState state) noexcept;

struct ChildSnapshot {
  std::string id;
  ChildKind kind;
  ChildState state;
  std::uint64_t incarnation;  // 0: never started
  std::uint64_t restarts;
  std::string last_exit;  // reason, "" when it never died
};
struct SupervisorSnapshot {
  std::string id;
  Strategy strategy;
  SupervisorState state;
  std::vector<ChildSnapshot> children;  // in start order
};

// ---- the core -----------------------------------------------------------------------------------

class SupervisorCore {
 public:
  using Effects = std::vector<SupervisorEffect>;

  static constexpr std::size_t kChildrenMax = 100'000;

  // Fails with invalidArgument, naming the field, when an id is empty or repeated, a need is
  // unknown or circular, or a number is out of range. `random` must outlive the core.
  static Result<SupervisorCore> make(SupervisorSpec spec, Random& random);

  // REQUIRES: `now` never goes back. Events of unknown children, of old incarnations and of stale
  // timers have no effect.
  Effects on_event(const SupervisorEvent& event, MonoTime now);

  // One more child. Fails with alreadyExists, invalidArgument (as `make`), resourceExhausted, and
  // failedPrecondition when the supervisor does not start or run, or a need is itself on trial or
  // about to be removed.
  Result<Effects> add(ChildSpec spec, MonoTime now);
  // Stops the child and removes it. Fails with notFound, and with failedPrecondition when siblings
  // need it or it is being removed already.
  Result<Effects> remove(std::string_view id, MonoTime now);

  [[nodiscard]] SupervisorState state() const noexcept { return state_; }
  [[nodiscard]] bool ended() const noexcept {
    return state_ == SupervisorState::kStopped || state_ == SupervisorState::kFailed;
  }
  [[nodiscard]] SupervisorSnapshot snapshot() const;
  // The living incarnation of a child, or nothing.
  [[nodiscard]] std::optional<std::uint64_t> living(std::string_view id) const;

 private:
  using Place = std::uint64_t;  // in the start order: needs come first

  struct Child {
    ChildSpec spec;
    Place place = 0;
    std::vector<Child*> needs = {};
    std::vector<Child*> needed_by = {};
    std::size_t unmet = 0;   // needs that are neither ready nor finished
    std::size_t in_use = 0;  // of needed_by, those that live or are in use themselves
    ChildState state = ChildState::kWaiting;  // never kBackingOff, which is waiting with a time
    std::uint64_t incarnation = 0;
    bool held = false;      // down, or going down, for a group restart
    bool added = false;     // after the supervisor was made
    bool on_trial = false;  // added, and was never ready
    bool leaving = false;   // removed once it is down
    std::uint32_t failures_in_a_row = 0;
    MonoTime deadline{};    // of preparing, starting, stopping
    MonoTime not_before{};  // of the next start
    MonoTime ready_since{};
    std::optional<MonoTime> due = {};  // its entry in due_
    std::string last_exit = {};
  };

  SupervisorCore(SupervisorSpec spec, Random& random);
  // REQUIRES: a valid spec; `needs` are children of this core.
  Child& insert(ChildSpec spec, std::vector<Child*> needs);
  void erase(Child& child, std::string reason, Effects& effects);

  static bool lives(const Child& child) noexcept;
  static bool is_up(const Child& child) noexcept;  // for those that need it
  static bool in_use(const Child& child) noexcept { return lives(child) || child.in_use > 0; }
  Child* find(std::string_view id) const noexcept;
  // The child whose living incarnation this is, or null.
  Child* find(std::string_view id, std::uint64_t incarnation) const noexcept;

  // Changes what is counted and reviewed because of it; takes the child's time from due_.
  void set_state(Child& child, ChildState state);
  void use_changed(Child& child, bool used);
  void hold(Child& child);
  void schedule(Child& child, MonoTime at);
  void unschedule(Child& child);

  void handle(const StartRequested&, MonoTime now, Effects& effects);
  void handle(const StopRequested&, MonoTime now, Effects& effects);
  void handle(const ChildPrepared& event, MonoTime now, Effects& effects);
  void handle(const ChildReady& event, MonoTime now, Effects& effects);
  void handle(const ChildExited& event, MonoTime now, Effects& effects);
  void handle(const ChildStuck& event, MonoTime now, Effects& effects);
  void handle(const TimerFired& event, MonoTime now, Effects& effects);

  void abandon(Child& child, std::string reason, MonoTime now, Effects& effects);
  void on_down(Child& child, ExitKind kind, std::string reason, MonoTime now, Effects& effects);
  void restart(Child& child, MonoTime now);
  void hold_group(const Child& died);
  void begin_stopping();
  void fail(Failed failure);
  [[nodiscard]] Nanos backoff_delay(std::uint32_t failures_in_a_row);

  // What follows from an event.
  void settle(MonoTime now, Effects& effects);
  void expire(MonoTime now, Effects& effects);
  void stop_what_must(MonoTime now, Effects& effects);
  void release_group();
  void start_what_may(MonoTime now, Effects& effects);
  void announce(Effects& effects);
  void arm(Effects& effects);

  SupervisorSpec spec_;  // without its children
  std::map<Place, Child> children_;
  std::unordered_map<std::string_view, Child*> by_id_;
  Place next_place_ = 0;
  std::size_t living_ = 0;
  std::size_t up_ = 0;
  std::size_t held_living_ = 0;
  std::set<Place> held_;
  std::set<std::pair<MonoTime, Place>> due_;  // what is to happen when
  std::set<Place> may_start_;                 // to be reviewed
  std::set<Place> must_stop_;                 // to be reviewed
  Random* random_;
  SupervisorState state_ = SupervisorState::kIdle;
  std::optional<Failed> failure_;
  std::deque<MonoTime> restarts_;  // within the window, oldest first; at most restarts_max + 1
  std::optional<MonoTime> armed_;
  std::uint64_t timer_token_ = 0;
  MonoTime now_{};
};

}  // namespace symphony::runtime
