// Where a command waits: that no signal is lost, whenever it comes.
#include "actors/bootstrap/cli/desk.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <memory>

namespace symphony::cli {
namespace {

using namespace std::chrono_literals;

class DeskTest : public testing::Test {
 protected:
  DeskTest() {
    ::pthread_sigmask(SIG_SETMASK, nullptr, &before_);
    desk_ = std::make_unique<Desk>();
    std::array<int, 2> ends{};
    EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    silent_ = runtime::Descriptor{ends[0]};
    writer_ = runtime::Descriptor{ends[1]};
  }
  ~DeskTest() override {
    desk_.reset();
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }

  sigset_t before_{};
  std::unique_ptr<Desk> desk_;
  runtime::Descriptor silent_;  // nobody writes there
  runtime::Descriptor writer_;
};

TEST_F(DeskTest, ASignalThatCameWithAnAnswerEndsTheNextWait) {
  bool answered = false;
  desk_->post([&] { answered = true; });
  ASSERT_EQ(::raise(SIGINT), 0);
  desk_->turn(1s);
  ASSERT_TRUE(answered);
  EXPECT_FALSE(desk_->await_readable(silent_.get())) << "it would wait for ever";
}

TEST_F(DeskTest, ASignalThatWasToldOfEndsNoFurtherWait) {
  ASSERT_EQ(::raise(SIGTERM), 0);
  EXPECT_FALSE(desk_->await_readable(silent_.get()));
  EXPECT_EQ(desk_->exit_code(), 143);
  ASSERT_EQ(::write(writer_.get(), "x", 1), 1);
  EXPECT_TRUE(desk_->await_readable(silent_.get())) << "so that what is begun can be taken back";
}

TEST_F(DeskTest, ASignalIsToldOfBeforeWhatThereIsToRead) {
  ASSERT_EQ(::write(writer_.get(), "x", 1), 1);
  ASSERT_EQ(::raise(SIGHUP), 0);
  EXPECT_FALSE(desk_->await_readable(silent_.get()));
  EXPECT_EQ(desk_->interrupts(), 1);
}

}  // namespace
}  // namespace symphony::cli
