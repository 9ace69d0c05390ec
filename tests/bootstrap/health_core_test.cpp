#include "actors/bootstrap/health_core.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <chrono>
#include <map>
#include <set>

namespace symphony::bootstrap {
namespace {

using namespace std::chrono_literals;
using runtime::MonoTime;
using runtime::Nanos;

const MonoTime kStart{1h};
constexpr HealthRules kRules{.interval = 1s, .stuck_after = 10s};

Observation stuck(const std::string& name) {
  return {.name = name, .life = {0, 1}, .running = true, .last_progress = kStart};
}
Observation waiting(const std::string& name, std::int64_t messages) {
  return {.name = name, .life = {0, 1}, .waiting = messages, .last_progress = kStart};
}

// One look a second over what does not change.
class HealthCoreTest : public testing::Test {
 protected:
  std::vector<Sick> look(const std::vector<Observation>& seen) {
    now_ += 1s;
    auto sick = core_.look(now_, seen);
    for (const auto& one : sick) reports_[one.name] += one.report ? 1 : 0;
    return sick;
  }
  std::vector<Sick> look(int times, const std::vector<Observation>& seen) {
    std::vector<Sick> sick;
    for (int i = 0; i < times; ++i) sick = look(seen);
    return sick;
  }

  HealthCore core_{kRules};
  MonoTime now_ = kStart;
  std::map<std::string, int> reports_;
};

TEST_F(HealthCoreTest, AHandlerWithoutProgressForTooLongIsReportedOnce) {
  EXPECT_TRUE(look(11, {stuck("/a")}).empty());
  const auto sick = look({stuck("/a")});
  ASSERT_EQ(sick.size(), 1u);
  EXPECT_TRUE(sick[0].report);
  EXPECT_EQ(sick[0].life, (Life{0, 1}));
  EXPECT_NE(sick[0].reason.find("11.0 s inside a handler"), std::string::npos) << sick[0].reason;
  EXPECT_EQ(look(100, {stuck("/a")}).size(), 1u);
  EXPECT_EQ(reports_["/a"], 1);
}

TEST_F(HealthCoreTest, AComponentWithoutWorkIsNeverSick) {
  EXPECT_TRUE(look(100, {waiting("/a", 0)}).empty());
}

TEST_F(HealthCoreTest, TenThousandMessagesThatAreWorkedOffAreNoReasonForAReport) {
  auto busy = waiting("/a", 10'000);
  for (int i = 0; i < 1000; ++i) {
    busy.running = true;
    if (i % 9 == 0) ++busy.processed;
    EXPECT_TRUE(look({busy}).empty());
  }
}

TEST_F(HealthCoreTest, MessagesThatWaitWithoutAnyProgressAreReportedToo) {
  const auto sick = look(12, {waiting("/a", 1)});
  ASSERT_EQ(sick.size(), 1u);
  EXPECT_TRUE(sick[0].report);
  EXPECT_NE(sick[0].reason.find("1 message waits"), std::string::npos) << sick[0].reason;
}

TEST_F(HealthCoreTest, WhoGetsNoThreadBecauseOthersAreStuckIsNamedButNotReplaced) {
  const auto sick = look(20, {stuck("/a"), waiting("/b", 5)});
  ASSERT_EQ(sick.size(), 2u);
  EXPECT_EQ(reports_["/a"], 1);
  EXPECT_EQ(reports_["/b"], 0);
  EXPECT_NE(sick[1].reason.find("stuck components hold the threads"), std::string::npos);
}

TEST_F(HealthCoreTest, AFencedIncarnationHoldsItsThreadButIsNotReportedAgain) {
  auto fenced = stuck("/a");
  fenced.fenced = true;
  auto successor = waiting("/a", 3);
  successor.life = {1, 2};
  const auto sick = look(20, {fenced, successor});
  ASSERT_EQ(sick.size(), 1u);
  EXPECT_EQ(sick[0].life, successor.life);
  EXPECT_EQ(reports_["/a"], 0);
}

TEST_F(HealthCoreTest, TheNextIncarnationIsJudgedAnew) {
  look(12, {stuck("/a")});
  auto second = stuck("/a");
  second.life = {1, 2};
  EXPECT_TRUE(look(11, {second}).empty());
  EXPECT_TRUE(look({second})[0].report);
  EXPECT_EQ(reports_["/a"], 2);
}

TEST_F(HealthCoreTest, TimeInWhichNobodyLookedDoesNotCount) {
  look(3, {stuck("/a")});
  now_ += 1h;  // counts as two intervals
  EXPECT_TRUE(look(7, {stuck("/a")}).empty());
  EXPECT_FALSE(look({stuck("/a")}).empty());
}

TEST_F(HealthCoreTest, AReportThatWasNotDeliveredIsRepeatedAfterGrowingPauses) {
  std::vector<int> at;
  for (int i = 0; i < 1200; ++i) {
    for (const auto& sick : look({stuck("/a")})) {
      if (!sick.report) continue;
      at.push_back(i);
      core_.undelivered(sick.name, sick.life, now_);
    }
  }
  ASSERT_GE(at.size(), 9u);
  EXPECT_EQ(at[1] - at[0], 1);
  EXPECT_EQ(at[2] - at[1], 2);
  EXPECT_EQ(at[3] - at[2], 4);
  EXPECT_EQ(at.back() - at[at.size() - 2], 300);
}

TEST_F(HealthCoreTest, WhatNobodyIsTheAuthorOfIsNotBelieved) {
  core_.undelivered("/nobody", {}, now_);
  EXPECT_TRUE(look(5, {waiting("/nobody", 0)}).empty());
}

// Whatever happens: who moves at least every `stuck_after` is never sick, who had work and did not
// move for longer than that (and two looks) is, and no life is reported twice.
RC_GTEST_PROP(HealthCore, JudgesByProgressAlone, ()) {
  struct Model {
    Observation seen;
    MonoTime idle_since;
  };
  HealthCore core{kRules};
  std::vector<Model> models(3);
  MonoTime now = kStart;
  for (std::size_t i = 0; i < models.size(); ++i) {
    models[i].seen = waiting("/" + std::to_string(i), 0);
    models[i].idle_since = now;
  }
  std::set<std::pair<std::string, Life>> reported;
  const int looks = *rc::gen::inRange(1, 120);
  for (int step = 0; step < looks; ++step) {
    const MonoTime before = now;
    now += std::chrono::milliseconds(*rc::gen::inRange(1, 2000));
    std::vector<Observation> seen;
    for (auto& model : models) {
      const int event = *rc::gen::inRange(0, 12);
      if (event == 0) {  // something ended
        ++model.seen.processed;
        model.idle_since = now;
      } else if (event == 1) {  // there is something to do
        if (!model.seen.running && model.seen.waiting == 0) model.idle_since = before;
        model.seen.running = true;
      } else if (event == 2) {
        if (!model.seen.running && model.seen.waiting == 0) model.idle_since = before;
        model.seen.waiting = 10'000;
      } else if (event == 3) {  // all is done
        ++model.seen.processed;
        model.seen.running = false;
        model.seen.waiting = 0;
        model.idle_since = now;
      } else if (event == 4 && model.seen.life.restarts < 5) {  // it is replaced
        ++model.seen.life.restarts;
        ++model.seen.life.incarnation;
        model.idle_since = now;
      }
      seen.push_back(model.seen);
    }
    std::set<std::string> sick;
    for (const auto& one : core.look(now, seen)) {
      sick.insert(one.name);
      if (one.report) RC_ASSERT(reported.insert({one.name, one.life}).second);
    }
    for (const auto& model : models) {
      const bool has_work = model.seen.running || model.seen.waiting > 0;
      const bool must_be_well = !has_work || now - model.idle_since <= kRules.stuck_after;
      const bool must_be_sick =
          has_work && now - model.idle_since > kRules.stuck_after + 2 * 2 * kRules.interval;
      RC_ASSERT(!(must_be_well && sick.contains(model.seen.name)));
      RC_ASSERT(!must_be_sick || sick.contains(model.seen.name));
    }
  }
}

}  // namespace
}  // namespace symphony::bootstrap
