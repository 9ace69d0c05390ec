#include "runtime/link/reading_duty.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <array>
#include <functional>
#include <random>
#include <utility>
#include <vector>

namespace symphony::runtime {
namespace {

using Next = ReadingDuty::Next;
using Help = ReadingDuty::Help;
using Reader = ReadingDuty::Reader;

TEST(ReadingDuty, IsTheThreadsWhenNobodyHelps) {
  ReadingDuty duty;
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(duty.thread_next(), Next::read);
    EXPECT_EQ(duty.reader(), Reader::thread);
    const auto calls = duty.turn_ended(false);
    EXPECT_FALSE(calls.thread || calls.successor || calls.halting);
  }
  EXPECT_EQ(duty.turns(), 3u);
}

TEST(ReadingDuty, IsAHelpersWhenNobodyReads) {
  ReadingDuty duty;
  EXPECT_EQ(duty.helper_comes(0), Help::read);
  EXPECT_EQ(duty.thread_next(), Next::wait);
  EXPECT_TRUE(duty.turn_ended(false).thread);
  // It will come again: the thread gives it a while.
  EXPECT_EQ(duty.thread_next(), Next::stand_back);
  EXPECT_EQ(duty.helper_comes(1), Help::read);
  // Somebody else waits as well, and may not help.
  EXPECT_TRUE(duty.turn_ended(true).thread);
  EXPECT_EQ(duty.thread_next(), Next::read);
}

TEST(ReadingDuty, IsTheThreadsAgainWhenNoHelperCameForAWhile) {
  ReadingDuty duty;
  ASSERT_EQ(duty.helper_comes(0), Help::read);
  (void)duty.turn_ended(false);
  EXPECT_EQ(duty.thread_next(), Next::stand_back);
  EXPECT_EQ(duty.thread_next(), Next::read);
}

TEST(ReadingDuty, IsNotTakenForATurnThatHasEnded) {
  ReadingDuty duty;
  ASSERT_EQ(duty.thread_next(), Next::read);
  (void)duty.turn_ended(false);
  EXPECT_EQ(duty.helper_comes(0), Help::turn_ended);
  EXPECT_EQ(duty.helper_comes(1), Help::read);
}

TEST(ReadingDuty, GoesToTheFirstWhoWaitedForIt) {
  ReadingDuty duty;
  ASSERT_EQ(duty.thread_next(), Next::read);
  EXPECT_EQ(duty.helper_comes(0), Help::succeed);
  EXPECT_EQ(duty.helper_comes(0), Help::not_needed);
  EXPECT_FALSE(duty.successor_may_go());
  EXPECT_TRUE(duty.turn_ended(true).successor);
  EXPECT_TRUE(duty.successor_may_go());
  EXPECT_EQ(duty.thread_next(), Next::stand_back) << "the successor will read";
  // It does not: it has what it waited for, and the other one still waits.
  EXPECT_TRUE(duty.successor_goes(true).thread);
  EXPECT_EQ(duty.thread_next(), Next::read);
}

TEST(ReadingDuty, WhoWasSentAwayFindsTheReadingFreeNextTime) {
  ReadingDuty duty;
  ASSERT_EQ(duty.thread_next(), Next::read);
  ASSERT_EQ(duty.helper_comes(0), Help::succeed);
  ASSERT_EQ(duty.helper_comes(0), Help::not_needed);
  (void)duty.turn_ended(false);
  (void)duty.successor_goes(false);
  EXPECT_EQ(duty.thread_next(), Next::stand_back);
  EXPECT_EQ(duty.helper_comes(1), Help::read);
}

TEST(ReadingDuty, IsTheThreadsAtOnceWhenSomebodyExpectsAnAnswerWithoutHelping) {
  ReadingDuty duty;
  ASSERT_EQ(duty.helper_comes(0), Help::read);
  (void)duty.turn_ended(false);
  ASSERT_EQ(duty.thread_next(), Next::stand_back);
  EXPECT_TRUE(duty.attend().thread);
  EXPECT_EQ(duty.thread_next(), Next::read);
}

TEST(ReadingDuty, EndsWithTheLastOfThreadAndHelper) {
  ReadingDuty duty;
  ASSERT_EQ(duty.helper_comes(0), Help::read);
  ASSERT_EQ(duty.thread_next(), Next::wait);
  EXPECT_TRUE(duty.halt().thread);
  EXPECT_EQ(duty.thread_next(), Next::end);
  EXPECT_FALSE(duty.at_rest());
  EXPECT_EQ(duty.helper_comes(0), Help::not_needed);
  EXPECT_TRUE(duty.turn_ended(false).halting) << "or whoever halts would wait in vain";
  EXPECT_TRUE(duty.at_rest());
}

// ---- any order ----------------------------------------------------------------------------------

// The shell around a duty with its threads as state machines, so that their steps come in any
// order. Who sleeps goes on only when called; the while of standing back never passes.
class Shell {
 public:
  static constexpr std::size_t kHelpers = 3;

  // Does one of the steps that are possible, if any is: `choice` says which.
  bool step(std::uint64_t choice) {
    std::vector<std::function<void()>> possible;
    for (auto& helper : helpers_) offer(helper, possible);
    offer_thread(possible);
    if (!done_asking_ && async_expected_ == 0) possible.push_back([this] { ++async_expected_; });
    if (async_expected_ == 1)
      possible.push_back([this] { async_expected_ = 2, call(duty_.attend()); });
    if (async_expected_ == 2) possible.push_back([this] { async_expected_ = 3, ++wire_async_; });
    for (auto& helper : helpers_)
      if (helper.asked && !helper.on_wire && !helper.answered)
        possible.push_back([&helper] { helper.on_wire = true; });
    if (possible.empty()) return false;
    possible[choice % possible.size()]();
    return true;
  }
  void ask_no_more() { done_asking_ = true; }
  void halt() {
    call(duty_.halt());
    event_ = true;  // so that whoever polls takes a turn
    done_asking_ = true;
  }
  [[nodiscard]] bool all_answered() const {
    for (const auto& helper : helpers_)
      if (helper.at != Helper::idle) return false;
    return async_expected_ == 0;
  }
  [[nodiscard]] bool ended() const {
    if (!duty_.at_rest() || !halting_called_) return false;
    for (const auto& helper : helpers_)  // the rest waits for answers, which the loss will bring
      if (helper.at == Helper::succeeds || helper.at == Helper::polls) return false;
    return true;
  }
  [[nodiscard]] int most_readers() const { return most_readers_; }

 private:
  struct Helper {
    enum At { idle, looks, helps, polls, turns, succeeds, waits } at = idle;
    bool called = false;
    std::uint64_t seen = 0;
    bool asked = false, on_wire = false, answered = false;
  };
  enum class Thread { looks, polls, turns, sleeps, gone };

  [[nodiscard]] bool readable() const {
    if (event_ || wire_async_ > 0) return true;
    for (const auto& helper : helpers_)
      if (helper.on_wire) return true;
    return false;
  }
  [[nodiscard]] bool expected() const {
    if (async_expected_ > 0) return true;
    for (const auto& helper : helpers_)
      if (helper.asked && !helper.answered) return true;
    return false;
  }
  void read() {
    event_ = false;
    for (auto& helper : helpers_)
      if (std::exchange(helper.on_wire, false)) helper.answered = true;
    if (std::exchange(wire_async_, 0) > 0) async_expected_ = 0;
  }
  void begin_reading() { most_readers_ = std::max(most_readers_, ++readers_); }
  void end_turn() {
    --readers_;
    call(duty_.turn_ended(expected()));
  }
  void call(ReadingDuty::Calls calls) {
    if (calls.thread && thread_ == Thread::sleeps) thread_ = Thread::looks;
    if (calls.successor)
      for (auto& helper : helpers_) helper.called |= helper.at == Helper::succeeds;
    halting_called_ |= calls.halting;
  }

  void offer(Helper& helper, std::vector<std::function<void()>>& possible) {
    switch (helper.at) {
      case Helper::idle:
        if (!done_asking_)
          possible.push_back([&helper] { helper = {.at = Helper::looks, .asked = true}; });
        return;
      case Helper::looks:
        possible.push_back([this, &helper] {
          helper.seen = duty_.turns();
          if (helper.answered)
            helper = {};
          else
            helper.at = Helper::helps;
        });
        return;
      case Helper::helps:
        possible.push_back([this, &helper] { help(helper); });
        return;
      case Helper::polls:
        if (readable()) possible.push_back([this, &helper] { read(), helper.at = Helper::turns; });
        return;
      case Helper::turns:
        possible.push_back([this, &helper] { helper.at = Helper::looks, end_turn(); });
        return;
      case Helper::succeeds:
        if (helper.called)
          possible.push_back([this, &helper] {
            helper.called = false;
            if (!duty_.successor_may_go()) return;
            const bool wanted = duty_.reader() == Reader::nobody && expected();
            call(duty_.successor_goes(wanted));
            helper.at = duty_.halted() ? Helper::waits : Helper::looks;
          });
        return;
      case Helper::waits:
        if (helper.answered) possible.push_back([&helper] { helper = {}; });
        return;
    }
  }
  void help(Helper& helper) {
    switch (duty_.helper_comes(helper.seen)) {
      case Help::read:
        begin_reading();
        helper.at = Helper::polls;
        return;
      case Help::succeed:
        helper.at = Helper::succeeds;
        return;
      case Help::turn_ended:
        helper.at = Helper::looks;
        return;
      case Help::not_needed:
        helper.at = Helper::waits;
        return;
    }
  }
  void offer_thread(std::vector<std::function<void()>>& possible) {
    if (thread_ == Thread::looks)
      possible.push_back([this] {
        switch (duty_.thread_next()) {
          case Next::read:
            begin_reading();
            thread_ = Thread::polls;
            return;
          case Next::stand_back:
          case Next::wait:
            thread_ = Thread::sleeps;
            return;
          case Next::end:
            thread_ = Thread::gone;
            halting_called_ |= duty_.at_rest();
        }
      });
    if (thread_ == Thread::polls && readable())
      possible.push_back([this] { read(), thread_ = Thread::turns; });
    if (thread_ == Thread::turns)
      possible.push_back([this] { thread_ = Thread::looks, end_turn(); });
  }

  ReadingDuty duty_;
  std::array<Helper, kHelpers> helpers_{};
  Thread thread_ = Thread::looks;
  int async_expected_ = 0;  // 1: asked, 2: attended, 3: its answer is under way
  int wire_async_ = 0;
  bool event_ = false;
  bool done_asking_ = false;
  bool halting_called_ = false;
  int readers_ = 0;
  int most_readers_ = 0;
};

std::vector<std::uint64_t> choices() {
  return *rc::gen::container<std::vector<std::uint64_t>>(rc::gen::arbitrary<std::uint64_t>());
}

RC_GTEST_PROP(ReadingDuty, EveryAnswerIsReadWithoutWaitingForTheThreadToStandBackLongEnough, ()) {
  Shell shell;
  const auto order = choices();
  for (const auto choice : order) shell.step(choice);
  std::mt19937_64 rest{order.size()};
  shell.ask_no_more();
  for (int i = 0; i < 1000 && !shell.all_answered(); ++i)
    if (!shell.step(rest())) break;
  RC_ASSERT(shell.all_answered());
  RC_ASSERT(shell.most_readers() <= 1);
}

RC_GTEST_PROP(ReadingDuty, WhenHaltedEverybodyLeavesAndWhoeverHaltsIsCalled, ()) {
  Shell shell;
  const auto order = choices();
  for (const auto choice : order) shell.step(choice);
  std::mt19937_64 rest{order.size()};
  shell.halt();
  for (int i = 0; i < 1000 && !shell.ended(); ++i)
    if (!shell.step(rest())) break;
  RC_ASSERT(shell.ended());
  RC_ASSERT(shell.most_readers() <= 1);
}

}  // namespace
}  // namespace symphony::runtime
