// Those who watch over programs, when they are killed, stopped or late.
#include "runtime/process/fork_server.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <future>
#include <sstream>

#include "tests/runtime/process/process_testing.hpp"

namespace symphony::runtime {
namespace {

using namespace testing;

class ForkServerTest : public ProcessTest {};

TEST_F(ForkServerTest, AKilledLauncherTakesEveryDescendantAlong) {
  auto command = shell(kFamily);
  Numbers numbers;
  numbers.hear_from(command);
  auto running = begin(command);
  const auto family = numbers.await(kFamilySize);
  ASSERT_EQ(::kill(family[0], SIGKILL), 0);
  const auto outcome = running.get();
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().code, Errc::UNAVAILABLE);
  EXPECT_TRUE(outcome.error().retryable);
  for (const pid_t pid : family) EXPECT_FALSE(alive(pid));
  EXPECT_TRUE(run(shell("true")).ok());
}

TEST_F(ForkServerTest, AKilledForkServerEndsItsProgramsAndIsStartedAnew) {
  auto command = shell(kFamily);
  Numbers numbers;
  numbers.hear_from(command);
  auto running = begin(command);
  const auto family = numbers.await(kFamilySize);
  const pid_t killed = server_.pid();
  ASSERT_EQ(::kill(killed, SIGKILL), 0);
  ASSERT_TRUE(eventually([&] { return !alive(killed); }));
  // Not beside what is still ending.
  const auto next = run(shell("kill -0 " + std::to_string(family[1]) + " 2>&1 || echo alone"));
  ASSERT_TRUE(next.ok()) << to_string(next.error());
  EXPECT_TRUE(next->out.ends_with("alone\n")) << next->out;
  EXPECT_NE(server_.pid(), killed);
  const auto outcome = running.get();
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().code, Errc::UNAVAILABLE);
  for (const pid_t pid : family) EXPECT_FALSE(alive(pid));
}

// Only the control group still knows of the family, where there is one; it is killed, and whoever
// is started in it afterwards is to live.
TEST_F(ForkServerTest, ProgramsRunAfterBothWhoWatchedOverTheOnesBeforeWereKilled) {
  auto command = shell(kFamily);
  Numbers numbers;
  numbers.hear_from(command);
  auto running = begin(command);
  const auto family = numbers.await(kFamilySize);
  ASSERT_EQ(::kill(server_.pid(), SIGSTOP), 0);
  ASSERT_EQ(::kill(family[0], SIGKILL), 0);
  ASSERT_EQ(::kill(server_.pid(), SIGKILL), 0);
  // Though what the family writes to is still open.
  const auto outcome = running.get();
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().code, Errc::UNAVAILABLE);
  EXPECT_FALSE(outcome.error().retryable) << "not beside the family";
  for (int i = 0; i < 3; ++i) {
    const auto next = run(shell("echo here"));
    ASSERT_TRUE(next.ok()) << to_string(next.error());
    EXPECT_EQ(next->out, "here\n");
  }
  for (const pid_t pid : family)
    if (alive(pid)) ::kill(pid, SIGKILL);
}

// Such a group cannot be removed before the one in it, and one that was killed is of no use.
TEST_F(ForkServerTest, ProgramsRunAfterSomeThatMadeAControlGroupInTheirsWereKilled) {
  auto command = shell(
      "mount=$(awk '/ - cgroup2 / && $4 == \"/\" {print $5; exit}' /proc/self/mountinfo);"
      "mkdir \"$mount$(sed -n s/^0:://p /proc/self/cgroup)/inner\" 2>/dev/null;" +
      std::string(kFamily));
  Numbers numbers;
  numbers.hear_from(command);
  auto running = begin(command);
  const auto family = numbers.await(kFamilySize);
  ASSERT_EQ(::kill(server_.pid(), SIGSTOP), 0);
  ASSERT_EQ(::kill(family[0], SIGKILL), 0);
  ASSERT_EQ(::kill(server_.pid(), SIGKILL), 0);
  EXPECT_FALSE(running.get().ok());
  for (int i = 0; i < 3; ++i) {  // each with a fork server of its own
    const auto next = run(shell("echo here"));
    ASSERT_TRUE(next.ok()) << i << ": " << to_string(next.error());
    EXPECT_EQ(next->out, "here\n");
    if (i == 2) break;  // the last one removes the group
    const pid_t server = server_.pid();
    ASSERT_EQ(::kill(server, SIGKILL), 0);
    ASSERT_TRUE(eventually([&] { return !alive(server); }));
  }
  for (const pid_t pid : family)
    if (alive(pid)) ::kill(pid, SIGKILL);
}

TEST_F(ForkServerTest, GivesUpAForkServerThatIsNotReadyWhenItIsCancelledAndGoesOnWithItLater) {
  const auto program = (directory_.path() / "slow").string();
  const auto go = (directory_.path() / "go").string();
  ASSERT_EQ(::mkfifo(go.c_str(), 0600), 0);
  std::ofstream(program) << "#!/bin/sh\nread line < " << go << "\nexec " << find_launch_program()
                         << "\n";
  ASSERT_EQ(::chmod(program.c_str(), 0700), 0);
  ForkServer slow{{.program = program}};
  const auto began = Clock::now();
  std::vector<std::future<Errc>> waiting;
  for (int i = 0; i < 4; ++i)
    waiting.push_back(std::async(std::launch::async, [&] {
      auto refused = run_process(slow, shell("true"), [&] { return Clock::now() > began + 100ms; });
      return refused ? Errc::INTERNAL : refused.error().code;
    }));
  for (auto& one : waiting) EXPECT_EQ(one.get(), Errc::CANCELLED);
  auto late = shell("true");
  late.deadline = Clock::now();
  EXPECT_EQ(run_process(slow, late, kNever).error().code, Errc::DEADLINE_EXCEEDED);
  EXPECT_LT(Clock::now() - began, 4s);                        // it is given 10 to get ready
  const int opened = ::open(go.c_str(), O_RDWR | O_CLOEXEC);  // does not wait for who reads it
  ASSERT_EQ(::write(opened, "\n", 1), 1);
  const auto outcome = run_process(slow, shell("exit 7"), kNever);
  ::close(opened);
  ASSERT_TRUE(outcome.ok()) << to_string(outcome.error());
  EXPECT_EQ(outcome->exit_code, 7);
}

TEST_F(ForkServerTest, ALauncherThatIsStoppedIsEndedByTheForkServer) {
  auto command = shell(kFamily);
  command.grace = 50ms;
  Numbers numbers;
  numbers.hear_from(command);
  auto running = begin(command);
  const auto family = numbers.await(kFamilySize);
  ASSERT_EQ(::kill(family[0], SIGSTOP), 0);
  cancelled_ = true;
  const auto outcome = running.get();
  ASSERT_TRUE(outcome.ok()) << to_string(outcome.error());
  EXPECT_TRUE(outcome->cancelled);
  for (const pid_t pid : family) EXPECT_FALSE(alive(pid));
}

// A process that plays a node, and is killed.
class ANodeThatIsKilled : public ProcessTest {
 protected:
  void SetUp() override {
    int ends[2];
    ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    node_ = ::fork();
    if (node_ == 0) {
      ForkServer server{{.lock_path = lock_}};
      auto command = shell(kFamily);
      command.on_output = [&](OutputStream, std::string_view bytes) {
        (void)!::write(ends[1], bytes.data(), bytes.size());
      };
      (void)run_process(server, command, kNever);
      ::_exit(1);
    }
    ::close(ends[1]);
    std::string text;
    char byte = 0;
    while (std::ranges::count(text, '\n') < static_cast<std::ptrdiff_t>(kFamilySize) &&
           ::read(ends[0], &byte, 1) == 1)
      text += byte;
    ::close(ends[0]);
    std::istringstream in(text);
    for (pid_t pid = 0; in >> pid;) family_.push_back(pid);
    ASSERT_EQ(family_.size(), kFamilySize);
  }
  void kill_node() {
    ::kill(node_, SIGKILL);
    ::waitpid(node_, nullptr, 0);
    killed_ = Clock::now();
  }
  bool all_ended() const {
    return std::ranges::none_of(family_, [](pid_t pid) { return alive(pid); });
  }

  pid_t node_ = 0;
  std::vector<pid_t> family_;
  Clock::time_point killed_;
};

TEST_F(ANodeThatIsKilled, LeavesNothingThatOutlivesItByTwoSeconds) {
  kill_node();
  EXPECT_TRUE(eventually([&] { return all_ended(); }));
  EXPECT_LT(Clock::now() - killed_, 2s);
}

TEST_F(ANodeThatIsKilled, HasNoProgramRunBesideThoseOfTheNextOne) {
  kill_node();
  const auto outcome = run(shell("true"));
  ASSERT_TRUE(outcome.ok()) << to_string(outcome.error());
  EXPECT_TRUE(all_ended());
}

TEST_F(ANodeThatIsKilled, LeavesNothingWhenItsLauncherIsKilledAsWell) {
  ::kill(family_[0], SIGKILL);
  kill_node();
  const auto outcome = run(shell("true"));
  ASSERT_TRUE(outcome.ok()) << to_string(outcome.error());
  EXPECT_TRUE(all_ended());
}

TEST_F(ForkServerTest, ProgramsOfANodeThatLivesKeepAnotherFromStartingAny) {
  ASSERT_TRUE(run(shell("true")).ok());
  ForkServer other{{.lock_path = lock_}};
  const auto refused = run_process(other, shell("true"), kNever);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Errc::FAILED_PRECONDITION);
  EXPECT_NE(refused.error().message.find("programs.lock"), std::string::npos);
}

}  // namespace
}  // namespace symphony::runtime
