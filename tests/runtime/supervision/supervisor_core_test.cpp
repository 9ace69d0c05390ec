#include "runtime/supervision/supervisor_core.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace symphony::runtime {
namespace {

using namespace std::chrono_literals;

// Drives a core by hand and writes down its effects as short words: "spawn a1", "stop a1",
// "abandon a1", "ready", "stopped", "failed a". Timers are kept aside.
class Supervisor : public testing::Test {
 protected:
  void make(SupervisorSpec spec) {
    auto made = SupervisorCore::make(std::move(spec), random_);
    ASSERT_TRUE(made.ok()) << to_string(made.error());
    core_.emplace(std::move(*made));
  }
  void make(Strategy strategy, std::vector<ChildSpec> children) {
    make(SupervisorSpec{"s", strategy, {}, {.initial = 100ms, .jitter = 0}, std::move(children)});
  }

  using Words = std::vector<std::string>;
  Words on(const SupervisorEvent& event) { return noted(core_->on_event(event, now_)); }
  Words add(ChildSpec spec) {
    auto effects = core_->add(std::move(spec), now_);
    return effects ? noted(*effects) : Words{to_string(effects.error())};
  }
  Words remove(const std::string& id) {
    auto effects = core_->remove(id, now_);
    return effects ? noted(*effects) : Words{to_string(effects.error())};
  }
  Words start() { return on(StartRequested{}); }
  Words stop() { return on(StopRequested{}); }
  Words ready(const std::string& id) { return on(ChildReady{id, incarnation(id)}); }
  Words dies(const std::string& id, ExitKind kind = ExitKind::kFailed) {
    return on(ChildExited{id, incarnation(id), kind, "because"});
  }
  // Lets the time pass up to the armed timer and fires it.
  Words wait_for_timer() {
    EXPECT_TRUE(timer_.has_value());
    if (!timer_) return {};
    now_ = std::max(now_, timer_->at);
    return on(TimerFired{std::exchange(timer_, std::nullopt)->token});
  }
  void all_ready(const Words& ids) {
    start();
    for (const auto& id : ids) ready(id);
    ASSERT_EQ(core_->state(), SupervisorState::kRunning);
  }
  std::uint64_t incarnation(const std::string& id) const { return child(id).incarnation; }
  ChildSnapshot child(const std::string& id) const {
    const auto view = core_->snapshot();
    const auto found = std::find_if(view.children.begin(), view.children.end(),
                                    [&](const auto& one) { return one.id == id; });
    return found == view.children.end() ? ChildSnapshot{} : *found;
  }

  SeededRandom random_{1};
  std::optional<SupervisorCore> core_;
  MonoTime now_{1h};
  std::optional<ArmTimer> timer_;
  std::optional<Failed> failure_;
  MonoTime last_drain_by_{};
  MonoTime last_stop_by_{};

 private:
  static std::string name(const std::string& id, std::uint64_t incarnation) {
    return id + std::to_string(incarnation);
  }
  Words noted(const SupervisorCore::Effects& effects) {
    Words words;
    for (const auto& effect : effects)
      std::visit([&](const auto& what) { note(what, words); }, effect);
    return words;
  }
  void note(const Removed& it, Words& to) {
    to.push_back("removed " + it.id + (it.reason.empty() ? "" : ": " + it.reason));
  }
  void note(const Spawn& it, Words& to) { to.push_back("spawn " + name(it.id, it.incarnation)); }
  void note(const Stop& it, Words& to) {
    to.push_back("stop " + name(it.id, it.incarnation));
    last_drain_by_ = it.drain_by;
    last_stop_by_ = it.stop_by;
  }
  void note(const Abandon& it, Words& to) {
    to.push_back("abandon " + name(it.id, it.incarnation));
  }
  void note(const ArmTimer& it, Words&) { timer_ = it; }
  void note(const Ready&, Words& to) { to.push_back("ready"); }
  void note(const Stopped&, Words& to) { to.push_back("stopped"); }
  void note(const Failed& it, Words& to) {
    to.push_back("failed " + it.child);
    failure_ = it;
  }
};

using Words = std::vector<std::string>;

TEST_F(Supervisor, StartsIndependentChildrenTogetherAndOthersWhenWhatTheyNeedIsReady) {
  make(Strategy::kOneForOne, {{.id = "c", .needs = {"a", "b"}}, {.id = "a"}, {.id = "b"}});
  EXPECT_EQ(start(), (Words{"spawn a1", "spawn b1"}));
  EXPECT_EQ(ready("a"), Words{});
  EXPECT_EQ(ready("b"), (Words{"spawn c1"}));
  EXPECT_EQ(ready("c"), (Words{"ready"}));
}

TEST_F(Supervisor, WithoutChildrenIsReadyAtOnceAndStopsAtOnce) {
  make(Strategy::kOneForOne, {});
  EXPECT_EQ(start(), (Words{"ready"}));
  EXPECT_EQ(stop(), (Words{"stopped"}));
  EXPECT_EQ(start(), Words{});
}

TEST_F(Supervisor, StopsInReverseOrderOfNeeds) {
  make(Strategy::kOneForOne, {{.id = "a"}, {.id = "b", .needs = {"a"}}, {.id = "c"}});
  all_ready({"a", "b", "c"});
  EXPECT_EQ(stop(), (Words{"stop c1", "stop b1"}));
  EXPECT_EQ(last_drain_by_, now_ + 3s);
  EXPECT_EQ(last_stop_by_, now_ + 5s);
  EXPECT_EQ(dies("b", ExitKind::kNormal), (Words{"stop a1"}));
  EXPECT_EQ(dies("a", ExitKind::kNormal), Words{});
  EXPECT_EQ(dies("c", ExitKind::kNormal), (Words{"stopped"}));
}

TEST_F(Supervisor, AbandonsAChildThatHangsInStop) {
  make(Strategy::kOneForOne, {{.id = "a"}});
  all_ready({"a"});
  EXPECT_EQ(stop(), (Words{"stop a1"}));
  const MonoTime asked = now_;
  EXPECT_EQ(wait_for_timer(), (Words{"abandon a1", "stopped"}));
  EXPECT_EQ(now_, asked + 5s);
}

TEST_F(Supervisor, RestartsOnlyTheChildThatDied) {
  make(Strategy::kOneForOne, {{.id = "a"}, {.id = "b", .needs = {"a"}}});
  all_ready({"a", "b"});
  EXPECT_EQ(dies("a"), Words{});
  EXPECT_EQ(child("a").state, ChildState::kBackingOff);
  EXPECT_EQ(wait_for_timer(), (Words{"spawn a2"}));
  EXPECT_EQ(ready("a"), Words{});
  EXPECT_EQ(child("a").restarts, 1u);
  EXPECT_EQ(child("a").last_exit, "because");
  EXPECT_EQ(child("b").restarts, 0u);
}

TEST_F(Supervisor, OneForAllTakesAllDownBeforeItStartsAnyAgain) {
  make(Strategy::kOneForAll,
       {{.id = "a"}, {.id = "b", .needs = {"a"}}, {.id = "c", .needs = {"b"}}});
  all_ready({"a", "b", "c"});
  EXPECT_EQ(dies("b"), (Words{"stop c1"}));
  EXPECT_EQ(wait_for_timer(), Words{});  // the backoff of b is over, but a and c still live
  EXPECT_EQ(dies("c", ExitKind::kNormal), (Words{"stop a1"}));
  EXPECT_EQ(dies("a", ExitKind::kNormal), (Words{"spawn a2"}));
  EXPECT_EQ(ready("a"), (Words{"spawn b2"}));
  EXPECT_EQ(ready("b"), (Words{"spawn c2"}));
}

TEST_F(Supervisor, RestForOneLeavesThoseBeforeAlone) {
  make(Strategy::kRestForOne,
       {{.id = "a"}, {.id = "b", .needs = {"a"}}, {.id = "c", .needs = {"b"}}});
  all_ready({"a", "b", "c"});
  EXPECT_EQ(dies("b"), (Words{"stop c1"}));
  EXPECT_EQ(dies("c", ExitKind::kNormal), Words{});
  EXPECT_EQ(wait_for_timer(), (Words{"spawn b2"}));
  EXPECT_EQ(ready("b"), (Words{"spawn c2"}));
  EXPECT_EQ(child("a").restarts, 0u);
}

TEST_F(Supervisor, AGroupRestartRunsFinishedTransientsAgainButNoTemporaries) {
  make(Strategy::kOneForAll, {{.id = "a"},
                              {.id = "t", .kind = ChildKind::kTransient},
                              {.id = "x", .kind = ChildKind::kTemporary}});
  all_ready({"a", "t", "x"});
  EXPECT_EQ(dies("t", ExitKind::kNormal), Words{});
  EXPECT_EQ(child("t").state, ChildState::kFinished);
  EXPECT_EQ(dies("a"), (Words{"stop x1"}));
  EXPECT_EQ(dies("x"), (Words{"spawn t2"}));
  EXPECT_EQ(child("x").state, ChildState::kFinished);
  EXPECT_EQ(wait_for_timer(), (Words{"spawn a2"}));
}

TEST_F(Supervisor, KindsDecideWhoComesBack) {
  make(Strategy::kOneForOne, {{.id = "p"},
                              {.id = "t", .kind = ChildKind::kTransient},
                              {.id = "x", .kind = ChildKind::kTemporary}});
  all_ready({"p", "t", "x"});
  dies("p", ExitKind::kNormal);
  EXPECT_EQ(child("p").state, ChildState::kBackingOff);
  dies("x", ExitKind::kFailed);
  EXPECT_EQ(child("x").state, ChildState::kFinished);
  dies("t", ExitKind::kFailed);
  EXPECT_EQ(child("t").state, ChildState::kBackingOff);
  EXPECT_EQ(wait_for_timer(), (Words{"spawn p2", "spawn t2"}));
  dies("t", ExitKind::kNormal);
  EXPECT_EQ(child("t").state, ChildState::kFinished);
}

TEST_F(Supervisor, AStartFailureRollsBackInReverse) {
  make(Strategy::kOneForOne,
       {{.id = "a"}, {.id = "b", .needs = {"a"}}, {.id = "c", .needs = {"b"}}});
  start();
  ready("a");
  ready("b");
  EXPECT_EQ(dies("c"), (Words{"stop b1"}));
  EXPECT_EQ(dies("b", ExitKind::kNormal), (Words{"stop a1"}));
  EXPECT_EQ(dies("a", ExitKind::kNormal), (Words{"failed c"}));
  EXPECT_EQ(failure_->cause, Failed::Cause::kStart);
  EXPECT_EQ(failure_->reason, "child c did not start: because");
}

TEST_F(Supervisor, PrepareAndStartHaveDeadlinesOfTheirOwn) {
  const auto children = [] {
    return std::vector<ChildSpec>{{.id = "a", .prepare_timeout = 1s, .start_timeout = 2s}};
  };
  make(Strategy::kOneForOne, children());
  start();
  EXPECT_EQ(wait_for_timer(), (Words{"abandon a1", "failed a"}));
  EXPECT_EQ(now_, MonoTime{1h} + 1s);
  EXPECT_EQ(failure_->reason, "child a did not start: prepare took longer than 1000 ms");

  make(Strategy::kOneForOne, children());
  start();
  on(ChildPrepared{"a", 1});
  EXPECT_EQ(child("a").state, ChildState::kStarting);
  const MonoTime prepared = now_;
  EXPECT_EQ(wait_for_timer(), (Words{"abandon a1", "failed a"}));
  EXPECT_EQ(now_, prepared + 2s);
}

TEST_F(Supervisor, AFailedRestartCountsAsAnotherDeath) {
  make(SupervisorSpec{
      "s", Strategy::kOneForOne, {2, 10s}, {.initial = 100ms, .jitter = 0}, {{.id = "a"}}});
  all_ready({"a"});
  dies("a");
  EXPECT_EQ(wait_for_timer(), (Words{"spawn a2"}));
  dies("a");
  EXPECT_EQ(wait_for_timer(), (Words{"spawn a3"}));
  EXPECT_EQ(dies("a"), (Words{"failed a"}));
  EXPECT_EQ(failure_->cause, Failed::Cause::kIntensity);
}

TEST_F(Supervisor, ForgetsRestartsOlderThanTheWindow) {
  make(SupervisorSpec{
      "s", Strategy::kOneForOne, {1, 10s}, {.initial = 1ms, .jitter = 0}, {{.id = "a"}}});
  all_ready({"a"});
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(dies("a"), Words{});
    wait_for_timer();
    ready("a");
    now_ += 11s;
  }
  EXPECT_EQ(child("a").restarts, 5u);
  dies("a");
  wait_for_timer();
  EXPECT_EQ(dies("a"), (Words{"failed a"}));
}

TEST_F(Supervisor, EscalationStopsTheSiblingsFirst) {
  make(SupervisorSpec{"s", Strategy::kOneForOne, {0, 10s}, {}, {{.id = "a"}, {.id = "b"}}});
  all_ready({"a", "b"});
  EXPECT_EQ(dies("a"), (Words{"stop b1"}));
  EXPECT_EQ(dies("b", ExitKind::kNormal), (Words{"failed a"}));
}

TEST_F(Supervisor, FencesAStuckIncarnation) {
  make(Strategy::kOneForOne, {{.id = "a"}});
  all_ready({"a"});
  EXPECT_EQ(on(ChildStuck{"a", 1, "no progress for 5000 ms in method x"}), (Words{"abandon a1"}));
  EXPECT_EQ(wait_for_timer(), (Words{"spawn a2"}));
  // The old one comes back to life: nobody listens.
  EXPECT_EQ(on(ChildReady{"a", 1}), Words{});
  EXPECT_EQ(on(ChildExited{"a", 1, ExitKind::kFailed, "late"}), Words{});
  EXPECT_EQ(child("a").state, ChildState::kPreparing);
  EXPECT_EQ(child("a").last_exit, "no progress for 5000 ms in method x");
  EXPECT_EQ(core_->living("a"), 2u);
}

TEST_F(Supervisor, BacksOffExponentiallyAndForgivesAfterAWhile) {
  make(SupervisorSpec{"s",
                      Strategy::kOneForOne,
                      {1000, 1s},
                      {.initial = 100ms, .max = 350ms, .jitter = 0, .reset_after = 10s},
                      {{.id = "a"}}});
  all_ready({"a"});
  const auto delay_of_death = [&] {
    const MonoTime died = now_;
    dies("a");
    wait_for_timer();
    ready("a");
    return now_ - died;
  };
  EXPECT_EQ(delay_of_death(), 100ms);
  EXPECT_EQ(delay_of_death(), 200ms);
  EXPECT_EQ(delay_of_death(), 350ms);
  EXPECT_EQ(delay_of_death(), 350ms);
  now_ += 10s;
  EXPECT_EQ(delay_of_death(), 100ms);
}

TEST_F(Supervisor, JitterTakesAwayAtMostItsShare) {
  make(SupervisorSpec{"s",
                      Strategy::kOneForOne,
                      {1000, 1s},
                      {.initial = 100ms, .max = 100ms, .jitter = 0.5},
                      {{.id = "a"}}});
  all_ready({"a"});
  std::vector<Nanos> delays;
  for (int i = 0; i < 100; ++i) {
    const MonoTime died = now_;
    dies("a");
    wait_for_timer();
    ready("a");
    delays.push_back(now_ - died);
  }
  const auto [least, most] = std::minmax_element(delays.begin(), delays.end());
  EXPECT_GE(*least, 50ms);
  EXPECT_LT(*least, 60ms);
  EXPECT_LE(*most, 100ms);
  EXPECT_GT(*most, 90ms);
}

TEST_F(Supervisor, AStopDuringABackoffStartsNobody) {
  make(Strategy::kOneForOne, {{.id = "a"}});
  all_ready({"a"});
  dies("a");
  const auto stale = timer_;
  EXPECT_EQ(stop(), (Words{"stopped"}));
  now_ += 1h;
  EXPECT_EQ(on(TimerFired{stale->token}), Words{});
}

TEST_F(Supervisor, TakesOneMoreChildWhichComesAfterAllOthers) {
  make(Strategy::kOneForOne, {{.id = "a"}, {.id = "b"}});
  all_ready({"a", "b"});
  EXPECT_EQ(add({.id = "c", .needs = {"a"}}), Words{"spawn c1"});
  EXPECT_EQ(ready("c"), Words{}) << "the supervisor was ready before";
  EXPECT_EQ(core_->snapshot().children.back().id, "c");
  EXPECT_EQ(stop(), (Words{"stop c1", "stop b1"})) << "/a is needed by /c";
  EXPECT_EQ(dies("c", ExitKind::kNormal), Words{"stop a1"});
}

TEST_F(Supervisor, AddedChildIsRestartedLikeAnyOther) {
  make(Strategy::kRestForOne, {{.id = "a"}});
  all_ready({"a"});
  add({.id = "b"});
  ready("b");
  EXPECT_EQ(dies("b"), Words{});
  EXPECT_EQ(wait_for_timer(), Words{"spawn b2"});
  ready("b");
  EXPECT_EQ(dies("a"), Words{"stop b2"}) << "it comes later in the start order";
}

TEST_F(Supervisor, AddedChildWaitsForAGroupThatIsBeingRestarted) {
  make(Strategy::kOneForAll, {{.id = "a"}, {.id = "b"}, {.id = "c", .needs = {"b"}}});
  all_ready({"a", "b", "c"});
  EXPECT_EQ(dies("a"), Words{"stop c1"});
  EXPECT_EQ(add({.id = "d", .needs = {"b"}}), Words{}) << "/b is to be stopped next";
  EXPECT_EQ(dies("c"), Words{"stop b1"});
  EXPECT_EQ(dies("b"), Words{"spawn b2"}) << "/a waits for its backoff";
  EXPECT_EQ(ready("b"), (Words{"spawn c2", "spawn d1"}));
}

TEST_F(Supervisor, AddedChildThatDoesNotStartIsNoChildAndCountsAsNoRestart) {
  make({.id = "s", .intensity = {0, 10s}, .children = {{.id = "a"}}});
  all_ready({"a"});
  EXPECT_EQ(add({.id = "b"}), Words{"spawn b1"});
  EXPECT_EQ(dies("b"), Words{"removed b: because"});
  add({.id = "b"});
  EXPECT_EQ(wait_for_timer(), (Words{"abandon b1", "removed b: prepare took longer than 5000 ms"}));
  EXPECT_EQ(core_->state(), SupervisorState::kRunning);
  EXPECT_EQ(core_->snapshot().children.size(), 1u);
  EXPECT_EQ(on(ChildReady{"b", 1}), Words{}) << "too late";
}

TEST_F(Supervisor, AddedTemporaryChildIsRemovedWhenItEnds) {
  make(Strategy::kOneForAll, {{.id = "a"}, {.id = "t", .kind = ChildKind::kTemporary}});
  all_ready({"a", "t"});
  add({.id = "u", .kind = ChildKind::kTemporary});
  ready("u");
  EXPECT_EQ(dies("u"), Words{"removed u: because"});
  EXPECT_EQ(dies("t"), Words{});
  EXPECT_EQ(child("t").state, ChildState::kFinished) << "which was planned, and is shown";
}

TEST_F(Supervisor, RemovesAChildOnceItIsDown) {
  make(Strategy::kOneForAll, {{.id = "a"}, {.id = "b", .needs = {"a"}}, {.id = "c"}});
  all_ready({"a", "b", "c"});
  EXPECT_EQ(remove("c"), Words{"stop c1"});
  EXPECT_EQ(remove("c"), Words{"failedPrecondition: c is being removed already (field child)"});
  EXPECT_EQ(dies("c"), Words{"removed c"}) << "and the others live on";
  EXPECT_EQ(remove("b"), Words{"stop b1"});
  EXPECT_EQ(wait_for_timer(), (Words{"abandon b1", "removed b"}));
  EXPECT_EQ(remove("a"), Words{"stop a1"});
  EXPECT_EQ(stop(), Words{});
  EXPECT_EQ(dies("a"), (Words{"removed a", "stopped"}));
}

TEST_F(Supervisor, RemovesAChildThatIsDownAtOnce) {
  make(Strategy::kOneForOne, {{.id = "a"}, {.id = "b"}});
  all_ready({"a", "b"});
  dies("a");
  EXPECT_EQ(remove("a"), Words{"removed a"});
  EXPECT_EQ(core_->snapshot().children.size(), 1u);
  EXPECT_EQ(wait_for_timer(), Words{}) << "its restart was given up";
}

TEST_F(Supervisor, RefusesChildrenThatCannotBeAddedOrRemoved) {
  make(Strategy::kOneForOne, {{.id = "aa"}, {.id = "b", .needs = {"aa"}}});
  EXPECT_EQ(add({.id = "c"}), Words{"failedPrecondition: s is idle and takes no children"});
  all_ready({"aa", "b"});
  EXPECT_EQ(add({.id = ""}), Words{"invalidArgument: a child needs an id (field id)"});
  EXPECT_EQ(add({.id = "b"}), Words{"alreadyExists: there is a child b already (field id)"});
  EXPECT_EQ(add({.id = "c", .needs = {"ab"}}),
            Words{"invalidArgument: child c needs ab, which is not a sibling (did you mean "
                  "\"aa\"?) (field needs)"});
  add({.id = "c"});
  EXPECT_EQ(add({.id = "d", .needs = {"c"}}),
            Words{"failedPrecondition: c was never ready yet (field needs)"});
  ready("c");
  EXPECT_EQ(remove("d"), Words{"notFound: there is no child d (field child)"});
  EXPECT_EQ(remove("aa"), Words{"failedPrecondition: aa is needed by b (field child)"});
  remove("c");
  EXPECT_EQ(add({.id = "d", .needs = {"c"}}),
            Words{"failedPrecondition: c is being removed (field needs)"});
  stop();
  EXPECT_EQ(add({.id = "e"}), Words{"failedPrecondition: s is stopping and takes no children"});
}

TEST_F(Supervisor, HasAtMostSoManyChildren) {
  make(Strategy::kOneForOne, {{.id = "a"}});
  all_ready({"a"});
  while (core_->snapshot().children.size() < 3) {
    const auto id = "x" + std::to_string(core_->snapshot().children.size());
    add({.id = id});
    ready(id);
  }
  for (std::size_t i = 3; i < SupervisorCore::kChildrenMax; ++i)
    ASSERT_EQ(add({.id = "x" + std::to_string(i)}).size(), 1u);
  EXPECT_EQ(add({.id = "last"}),
            Words{"resourceExhausted: a supervisor has at most 100000 children (field id)"});
}

TEST(SupervisorSpec, IsRefusedWithTheFieldThatIsWrong) {
  SeededRandom random(1);
  const auto field_of = [&](SupervisorSpec spec) {
    const auto made = SupervisorCore::make(std::move(spec), random);
    return made.ok() ? "" : made.error().field;
  };
  EXPECT_EQ(field_of({.id = "s", .children = {{.id = ""}}}), "children[0].id");
  EXPECT_EQ(field_of({.id = "s", .children = {{.id = "a"}, {.id = "a"}}}), "children[1].id");
  EXPECT_EQ(field_of({.id = "s", .children = {{.id = "a", .needs = {"b"}}}}), "children[0].needs");
  EXPECT_EQ(field_of({.id = "s", .children = {{.id = "a", .needs = {"a"}}}}), "children");
  EXPECT_EQ(field_of({.id = "s", .intensity = {1, 0s}}), "intensity.window");
  EXPECT_EQ(field_of({.id = "s", .backoff = {.jitter = 2}}), "backoff.jitter");
  EXPECT_EQ(field_of({.id = "s", .children = {{.id = "a", .stop_timeout = 0s}}}),
            "children[0].stop_timeout");
  const auto circle = SupervisorCore::make(
      {.id = "s",
       .children = {{.id = "a", .needs = {"c"}}, {.id = "b"}, {.id = "c", .needs = {"a"}}}},
      random);
  ASSERT_FALSE(circle.ok());
  EXPECT_EQ(circle.error().message, "these children need one another in a circle: a, c");
  const auto typo = SupervisorCore::make(
      {.id = "s", .children = {{.id = "pool"}, {.id = "b", .needs = {"pol"}}}}, random);
  ASSERT_FALSE(typo.ok());
  EXPECT_NE(typo.error().message.find("did you mean \"pool\""), std::string::npos);
}

}  // namespace
}  // namespace symphony::runtime
