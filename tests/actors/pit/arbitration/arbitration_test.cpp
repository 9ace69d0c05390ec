#include "actors/pit/arbitration/arbitration.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <set>
#include <vector>

#include "runtime/testing/test_node.hpp"

namespace symphony::actors {
namespace {

using namespace std::chrono_literals;
using runtime::Host;
using runtime::Nanos;
using runtime::TestNode;
using Keys = std::vector<std::uint64_t>;

constexpr std::uint64_t kMiB = 1U << 20U;

struct Wish {
  std::uint64_t key;
  std::uint64_t millicores = 1000;
  std::int32_t priority = 0;
};

// What became of one exchange.
struct Answer {
  bool there = false;
  Errc failure = Errc::INTERNAL;
  bool ok = false;
  Keys granted;
  std::map<std::uint64_t, Error> refused;
};

struct Exchange {
  std::vector<Wish> demands;
  Keys release;
  Keys withdraw;
  std::uint32_t weight = 0;
};

class ArbitrationComponent : public ::testing::Test {
 protected:
  explicit ArbitrationComponent(std::uint64_t millicores = 2000)
      : arbitration_(node_.asker()), millicores_(millicores) {
    node_.spawn("/pit/arbitration", [this](Host& host) {
      return std::make_unique<Arbitration>(
          host, ArbitrationOptions{.capacity = {millicores_, 100 * kMiB}});
    });
  }

  // Sends an exchange; what comes back, now or later, is in the answer.
  std::shared_ptr<Answer> exchange(const std::string& run, const Exchange& what,
                                   Nanos timeout = 1min) {
    auto answer = std::make_shared<Answer>();
    last_ =
        arbitration_
            .exchange([&](messages::ExchangeRequest::Builder request) { fill(request, run, what); })
            .within(timeout)
            .then([answer](Result<Msg<messages::ExchangeResponse>> result) {
              answer->there = true;
              answer->ok = result.ok();
              if (!result) {
                answer->failure = result.error().code;
                return;
              }
              for (const auto key : (*result)->getGranted()) answer->granted.push_back(key);
              for (const auto refusal : (*result)->getRefused())
                answer->refused.emplace(refusal.getKey(), to_error(refusal.getError()));
            });
    node_.settle();
    return answer;
  }

  static void fill(messages::ExchangeRequest::Builder request, const std::string& run,
                   const Exchange& what) {
    request.setRun(run);
    request.setWeight(what.weight);
    auto demands = request.initDemands(static_cast<unsigned>(what.demands.size()));
    for (unsigned i = 0; i < demands.size(); ++i) {
      demands[i].setKey(what.demands[i].key);
      demands[i].setMillicores(what.demands[i].millicores);
      demands[i].setMemoryBytes(kMiB);
      demands[i].setPriority(what.demands[i].priority);
    }
    auto release = request.initRelease(static_cast<unsigned>(what.release.size()));
    for (unsigned i = 0; i < release.size(); ++i) release.set(i, what.release[i]);
    auto withdraw = request.initWithdraw(static_cast<unsigned>(what.withdraw.size()));
    for (unsigned i = 0; i < withdraw.size(); ++i) withdraw.set(i, what.withdraw[i]);
  }

  void close(const std::string& run) {
    ASSERT_TRUE(arbitration_.close([&](auto request) { request.setRun(run); }).get().ok());
    node_.settle();
  }
  Msg<messages::ArbitrationStatusResponse> status() {
    return std::move(arbitration_.status().get()).value();
  }

  TestNode node_;
  WaitingRef<protocol::Arbitration> arbitration_;
  std::uint64_t millicores_;
  std::uint64_t last_ = 0;
};

TEST_F(ArbitrationComponent, GrantsWhatFitsAndTheRestWhenSomethingIsReleased) {
  const auto first = exchange("a", {.demands = {{1}, {2}, {3}}});
  EXPECT_EQ(first->granted, (Keys{1, 2}));
  const auto second = exchange("a", {});
  EXPECT_FALSE(second->there);
  const auto third = exchange("a", {.release = {1}});
  EXPECT_TRUE(second->there && second->ok && second->granted.empty()) << "a newer one came";
  EXPECT_EQ(third->granted, (Keys{3}));
}

TEST_F(ArbitrationComponent, AnswersAtOnceWhenNothingIsQueued) {
  EXPECT_TRUE(exchange("a", {})->there) << "a run that was never heard of";
  exchange("a", {.demands = {{1}}});
  const auto idle = exchange("a", {.release = {1}});
  EXPECT_TRUE(idle->there && idle->ok && idle->granted.empty());
  EXPECT_EQ(status()->getUsedMillicores(), 0u);
}

TEST_F(ArbitrationComponent, WhatOneRunReleasesIsGrantedToTheExchangeOfAnother) {
  exchange("a", {.demands = {{1}, {2}}});
  const auto waiting = exchange("b", {.demands = {{7}}});
  EXPECT_FALSE(waiting->there);
  exchange("a", {.release = {2}});
  EXPECT_EQ(waiting->granted, (Keys{7}));
}

TEST_F(ArbitrationComponent, RefusesWhatCouldNeverStartAndGrantsTheRest) {
  const auto answer = exchange("a", {.demands = {{1, 5000}, {2}}});
  EXPECT_EQ(answer->granted, (Keys{2}));
  ASSERT_TRUE(answer->refused.contains(1));
  EXPECT_EQ(answer->refused[1].code, Errc::RESOURCE_EXHAUSTED);
  EXPECT_EQ(answer->refused[1].field, "cores");
}

TEST_F(ArbitrationComponent, KeepsGrantsThatWereMadeWhileNoExchangeWasOpen) {
  exchange("a", {.demands = {{1}, {2}}});
  exchange("b", {.demands = {{7}}});
  arbitration_.cancel(last_);
  node_.settle();
  exchange("a", {.release = {1}});  // 7 is granted, and nobody is there to be told
  EXPECT_EQ(exchange("b", {})->granted, (Keys{7}));
}

TEST_F(ArbitrationComponent, AnExchangePastItsDeadlineSwallowsNoGrant) {
  exchange("a", {.demands = {{1}, {2}}});
  const auto late = exchange("b", {.demands = {{7}}}, 1s);
  node_.advance(2s);
  exchange("a", {.release = {1}});
  EXPECT_TRUE(late->granted.empty());
  EXPECT_EQ(exchange("b", {})->granted, (Keys{7}));
}

TEST_F(ArbitrationComponent, WithdrawTakesBackWhatIsQueuedAndWhatWasGrantedUntold) {
  exchange("a", {.demands = {{1}, {2}}});
  const auto queued = exchange("b", {.demands = {{7}}});
  const auto withdrawn = exchange("b", {.withdraw = {7}});
  EXPECT_TRUE(queued->there && queued->granted.empty());
  EXPECT_TRUE(withdrawn->there && withdrawn->granted.empty());

  exchange("b", {.demands = {{8}}});
  arbitration_.cancel(last_);
  node_.settle();
  exchange("a", {.release = {1}});
  const auto again = exchange("b", {.demands = {{8}}, .withdraw = {8}});
  EXPECT_EQ(again->granted, (Keys{8})) << "withdrawn and demanded anew in one round";
  EXPECT_EQ(status()->getUsedMillicores(), 2000u);
}

TEST_F(ArbitrationComponent, CloseTakesBackEverythingAndServesTheOthers) {
  exchange("a", {.demands = {{1}, {2}, {3}}});
  const auto of_closed = exchange("a", {});
  const auto other = exchange("b", {.demands = {{7}, {8}}});
  close("a");
  EXPECT_EQ(of_closed->failure, Errc::CANCELLED);
  EXPECT_EQ(other->granted, (Keys{7, 8}));
  close("a");  // again is as good as once
  ASSERT_EQ(status()->getRuns().size(), 1u);
  EXPECT_STREQ(status()->getRuns()[0].getRun().cStr(), "b");
}

TEST_F(ArbitrationComponent, SaysWhichFieldOfARequestIsWrong) {
  const auto unnamed =
      arbitration_.exchange([](auto request) { request.setRun(""); }).get().error();
  EXPECT_EQ(unnamed.code, Errc::INVALID_ARGUMENT);
  EXPECT_EQ(unnamed.field, "run");
  const auto heavy = arbitration_
                         .exchange([](auto request) {
                           request.setRun("a");
                           request.setWeight(1'000'000);
                           request.initDemands(1);
                         })
                         .get()
                         .error();
  EXPECT_EQ(heavy.code, Errc::INVALID_ARGUMENT);
  EXPECT_EQ(heavy.field, "weight");
}

TEST_F(ArbitrationComponent, DrainingEndsTheExchangesThatWait) {
  exchange("a", {.demands = {{1}, {2}, {3}}});
  const auto waiting = exchange("a", {});
  ASSERT_TRUE(node_.stop("/pit/arbitration").ok());
  EXPECT_EQ(waiting->failure, Errc::UNAVAILABLE);
}

TEST_F(ArbitrationComponent, SaysInOneLineWhatIsGoingOn) {
  exchange("a", {.demands = {{1, 500}, {2, 2000}}});
  node_.advance(1s);
  const auto line = node_.telemetry().find("/pit/arbitration")->snapshot().state_line;
  EXPECT_EQ(line, "1 run, 0.5 of 2 cores, 1 queued");
}

// Runs that demand and release at random: never above capacity, and everything is granted in the
// end, each key once.
RC_GTEST_PROP(ArbitrationHistories, NeverExceedTheCapacityAndGrantEverything, ()) {
  constexpr std::uint64_t kCapacity = 4000;
  TestNode node{*rc::gen::inRange<std::uint64_t>(1, 1000)};
  node.spawn("/pit/arbitration", [&](Host& host) {
    return std::make_unique<Arbitration>(host,
                                         ArbitrationOptions{.capacity = {kCapacity, 100 * kMiB},
                                                            .limits = {.reserve_after_grants = 3}});
  });
  WaitingRef<protocol::Arbitration> arbitration{node.asker()};
  struct Run {
    std::string name;
    std::map<std::uint64_t, std::uint64_t> wanted;  // key, millicores
    std::set<std::uint64_t> held;
    bool open = false;
  };
  std::vector<Run> runs(3);
  std::uint64_t used = 0;
  std::uint64_t keys = 0;
  const auto send = [&](Run& run, const Keys& release, const Keys& demand) {
    for (const auto key : release) {
      used -= run.wanted.at(key);
      run.held.erase(key);
      run.wanted.erase(key);
    }
    run.open = true;
    arbitration
        .exchange([&](messages::ExchangeRequest::Builder request) {
          request.setRun(run.name);
          auto back = request.initRelease(static_cast<unsigned>(release.size()));
          for (unsigned i = 0; i < back.size(); ++i) back.set(i, release[i]);
          auto out = request.initDemands(static_cast<unsigned>(demand.size()));
          for (unsigned i = 0; i < out.size(); ++i) {
            out[i].setKey(demand[i]);
            out[i].setMillicores(run.wanted.at(demand[i]));
          }
        })
        .then([&](Result<Msg<messages::ExchangeResponse>> answer) {
          RC_ASSERT(answer.ok());
          run.open = false;
          for (const auto key : (*answer)->getGranted()) {
            RC_ASSERT(run.wanted.contains(key));
            RC_ASSERT(run.held.insert(key).second);
            used += run.wanted.at(key);
          }
        });
    node.settle();
    RC_ASSERT(used <= kCapacity);
  };
  for (std::size_t i = 0; i < runs.size(); ++i) runs[i].name = "run-" + std::to_string(i);
  const int steps = *rc::gen::inRange(0, 40);
  for (int step = 0; step < steps; ++step) {
    Run& run = runs[*rc::gen::inRange<std::size_t>(0, runs.size())];
    Keys release, demand;
    for (const auto key : run.held)
      if (*rc::gen::arbitrary<bool>()) release.push_back(key);
    for (int i = *rc::gen::inRange(0, 4); i > 0; --i) {
      demand.push_back(++keys);
      run.wanted[keys] = *rc::gen::inRange<std::uint64_t>(0, kCapacity + 1);
    }
    send(run, release, demand);
  }
  const auto left = [&] {
    return std::any_of(runs.begin(), runs.end(),
                       [](const Run& run) { return !run.wanted.empty(); });
  };
  for (int round = 0; left(); ++round) {
    RC_ASSERT(round < 10'000);
    for (Run& run : runs) send(run, Keys(run.held.begin(), run.held.end()), {});
  }
  RC_ASSERT(used == 0u);
  const auto status = std::move(arbitration.status().get()).value();
  RC_ASSERT(status->getUsedMillicores() == 0u);
}

}  // namespace
}  // namespace symphony::actors
