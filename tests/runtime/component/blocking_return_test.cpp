// Blocking work between real threads: what follows it belongs to its component's thread.
#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <memory>
#include <semaphore>
#include <utility>

#include "runtime/testing/live_node.hpp"
#include "tests/runtime/component/scripted.hpp"

namespace symphony::runtime {
namespace {

using namespace std::chrono_literals;
using testing::Script;
using testing::scripted;
using ProbeRef = WaitingRef<protocol::Probe>;

constexpr auto kPatience = 30s;

// Tells when the last owner of it is gone.
struct Token {
  explicit Token(std::promise<void>& gone) : gone_(gone) {}
  ~Token() { gone_.set_value(); }
  std::promise<void>& gone_;
};

// Holds the pool's only thread until released.
struct Hold {
  std::binary_semaphore entered{0}, release{0};
  void wait_here() {
    entered.release();
    release.acquire();
  }
};

TEST(BlockingWork, ComesBackFromThePoolWithItsResult) {
  Script script;
  script.echo = [](Host& host, Script::EchoCall call) {
    host.run_blocking([] { return Result<std::string>{std::string{"worked"}}; },
                      [call = std::move(call)](Result<std::string> result) mutable {
                        call.reply([&](auto out) { out.setText(*result); });
                      });
  };
  LiveNode node;
  node.spawn("/test/it", scripted(script));
  const auto answer = ProbeRef(node.asker(), "/test/it").echo().within(kPatience).get();
  ASSERT_TRUE(answer) << to_string(answer.error());
  EXPECT_STREQ((*answer)->getText().cStr(), "worked");
}

TEST(BlockingWork, ThatThrowsIsAnErrorOfItsCompletion) {
  Script script;
  script.echo = [](Host& host, Script::EchoCall call) {
    host.run_blocking(
        []() -> int { throw std::runtime_error("caf\xe9 is gone"); },
        [call = std::move(call)](Result<int> result) mutable { call.fail(result.error()); });
  };
  LiveNode node;
  node.spawn("/test/it", scripted(script));
  const auto answer = ProbeRef(node.asker(), "/test/it").echo().within(kPatience).get();
  EXPECT_EQ(answer.error().code, Errc::INTERNAL);
  EXPECT_NE(answer.error().message.find("caf\\xe9 is gone"), std::string::npos);
}

TEST(BlockingWork, ThatThePoolRefusesCompletesAsOverloaded) {
  Hold hold;
  Script script;
  script.keep = [&](Host& host, Script::KeepCall call) {
    host.run_blocking([&] { hold.wait_here(); }, [](Status) {});
    call.reply();
  };
  script.echo = [](Host& host, Script::EchoCall call) {
    auto shared = std::make_shared<Script::EchoCall>(std::move(call));
    host.run_blocking([] {}, [](Status) {});  // the one that may wait
    host.run_blocking([] {},
                      [shared](Status status) {
                        if (!status) return shared->fail(status.error());
                        shared->reply();
                      });
  };
  LiveNode node{0, 1};
  node.spawn("/test/it", scripted(script));
  ProbeRef ref{node.asker(), "/test/it"};
  ASSERT_TRUE(ref.keep().within(kPatience).get());
  ASSERT_TRUE(hold.entered.try_acquire_for(kPatience));
  const auto answer = ref.echo().within(kPatience).get();
  hold.release.release();
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().code, Errc::OVERLOADED);
}

TEST(BlockingWork, WhatFollowsItIsDestroyedWithItsComponentNotByThePool) {
  Hold hold;
  std::promise<void> gone;
  Script script;
  script.keep = [&](Host& host, Script::KeepCall call) {
    host.run_blocking([&] { hold.wait_here(); },
                      [token = std::make_shared<Token>(gone)](Status) {});
    call.reply();
  };
  LiveNode node;
  node.spawn("/test/it", scripted(script));
  ProbeRef ref{node.asker(), "/test/it"};
  ASSERT_TRUE(ref.keep().within(kPatience).get());
  ASSERT_TRUE(hold.entered.try_acquire_for(kPatience));
  ASSERT_TRUE(ref.stop().within(kPatience).get());
  // The pool is still at work, and does not hold on to it.
  const auto destroyed = gone.get_future().wait_for(kPatience);
  hold.release.release();
  EXPECT_EQ(destroyed, std::future_status::ready);
}

}  // namespace
}  // namespace symphony::runtime
