#include "actors/bootstrap/exit_guard.hpp"

#include <gtest/gtest.h>
#include <sys/eventfd.h>

#include <cstdlib>

#include "tests/support/scarcity.hpp"

namespace symphony::bootstrap {
namespace {

using namespace std::chrono_literals;

struct StopWithoutSignals : ::testing::Test {
  const runtime::Descriptor signals{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
};

void leave_with_7(const char*) { ::_exit(7); }
void never_leave(const char* why) {
  std::fprintf(stderr, "left: %s\n", why);
  std::abort();
}

TEST_F(StopWithoutSignals, IsNotHeldUpByItsGuard) {
  const ExitGuard guard{std::chrono::steady_clock::now() + 1min, signals.get(), never_leave};
  EXPECT_TRUE(guard.watches());
}

TEST_F(StopWithoutSignals, IsNotHeldUpByAGuardForWhichThereIsNoDescriptor) {
  const test::FewDescriptors few{0};
  const ExitGuard guard{std::chrono::steady_clock::now() + 1min, signals.get(), never_leave};
  EXPECT_TRUE(guard.watches());
}

[[noreturn]] void hang_in_a_stop(int signals) {
  const test::FewDescriptors few{0};
  const ExitGuard guard{std::chrono::steady_clock::now() + 50ms, signals, leave_with_7};
  for (;;) ::pause();
}

TEST_F(StopWithoutSignals, ThatHangsIsEndedAlsoWhenThereIsNoDescriptorForTheGuard) {
  EXPECT_EXIT(hang_in_a_stop(signals.get()), ::testing::ExitedWithCode(7), "");
}

TEST_F(StopWithoutSignals, IsUnwatchedAndNotTheEndWhenThereIsNoThreadForTheGuard) {
  const test::NoThreads none;
  const ExitGuard guard{std::chrono::steady_clock::now() + 1min, signals.get(), never_leave};
  EXPECT_FALSE(guard.watches());
}

}  // namespace
}  // namespace symphony::bootstrap
