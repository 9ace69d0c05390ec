#include "runtime/system/thread.hpp"

#include <gtest/gtest.h>

#include <atomic>

#include "tests/support/scarcity.hpp"

namespace symphony::runtime {
namespace {

TEST(Thread, RunsWhatItIsGiven) {
  std::atomic<bool> ran{false};
  auto thread = start_thread("is tried", [&] { ran = true; });
  ASSERT_TRUE(thread.ok());
  thread->join();
  EXPECT_TRUE(ran);
}

TEST(Thread, ThatTheSystemRefusesIsAnErrorThatSaysWhatToRaise) {
  const test::NoThreads none;
  const auto thread = start_thread("is tried", [] {});
  ASSERT_FALSE(thread.ok());
  EXPECT_EQ(thread.error().code, Errc::RESOURCE_EXHAUSTED);
  EXPECT_TRUE(thread.error().retryable);
  EXPECT_EQ(thread.error().message.find("cannot start a thread that is tried: "), 0u);
  EXPECT_NE(thread.error().message.find("ulimit -u"), std::string::npos);
}

TEST(Thread, ManyAreCheckedForBeforeTheyAreNeeded) {
  EXPECT_TRUE(check_threads(20).ok());
  const test::NoThreads none;
  EXPECT_TRUE(check_threads(0).ok());
  EXPECT_EQ(check_threads(1).error().code, Errc::RESOURCE_EXHAUSTED);
}

}  // namespace
}  // namespace symphony::runtime
