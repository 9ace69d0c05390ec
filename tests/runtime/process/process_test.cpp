#include "runtime/process/process.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <sstream>
#include <thread>

#include "tests/runtime/process/process_testing.hpp"

namespace symphony::runtime {
namespace {

using namespace testing;

TEST_F(ProcessTest, GivesOutputExitCodeAndUsage) {
  const auto outcome = run(shell("echo out; echo err >&2; exit 3"));
  ASSERT_TRUE(outcome.ok()) << to_string(outcome.error());
  EXPECT_EQ(outcome->out, "out\n");
  EXPECT_EQ(outcome->err, "err\n");
  EXPECT_EQ(outcome->exit_code, 3);
  EXPECT_EQ(outcome->signal, 0);
  EXPECT_GT(outcome->max_resident_bytes, 100'000u);
}

TEST_F(ProcessTest, KeepsTheBeginningOfAnOutputAndTheVeryEnd) {
  auto command = shell("seq 100000");
  command.max_output_bytes = 10;
  std::size_t heard = 0;
  command.on_output = [&](OutputStream, std::string_view bytes) { heard += bytes.size(); };
  const auto outcome = run(command);
  ASSERT_TRUE(outcome.ok());
  EXPECT_EQ(outcome->out, "1\n2\n3\n4\n5\n");
  EXPECT_TRUE(outcome->out_truncated);
  EXPECT_EQ(outcome->out_bytes, 588'895u);
  EXPECT_EQ(heard, 588'895u);
  EXPECT_EQ(outcome->out_tail.size(), kExcerptBytes);
  EXPECT_TRUE(outcome->out_tail.ends_with("99999\n100000\n"));
}

TEST_F(ProcessTest, RunsInASessionOfItsOwnWithoutATerminal) {
  const auto outcome = run(
      shell("cut -d' ' -f6,7 /proc/self/stat; if (: < /dev/tty) 2>/dev/null; then echo asks; fi"));
  ASSERT_TRUE(outcome.ok());
  pid_t session = 0, terminal = -1;
  std::string rest;
  std::istringstream(outcome->out) >> session >> terminal >> rest;
  EXPECT_NE(session, ::getsid(0));
  EXPECT_EQ(terminal, 0);
  EXPECT_EQ(rest, "");
}

TEST_F(ProcessTest, EndsAtTheDeadline) {
  auto command = shell("sleep 300");
  command.deadline = Clock::now() + 50ms;
  const auto outcome = run(command);
  ASSERT_TRUE(outcome.ok());
  EXPECT_TRUE(outcome->timed_out);
  EXPECT_EQ(outcome->signal, SIGTERM);
}

TEST_F(ProcessTest, EndsEveryDescendantWhenItIsCancelled) {
  auto command = shell(kFamily);
  Numbers numbers;
  numbers.hear_from(command);
  auto running = begin(command);
  const auto family = numbers.await(kFamilySize);
  cancelled_ = true;
  const auto outcome = running.get();
  ASSERT_TRUE(outcome.ok());
  EXPECT_TRUE(outcome->cancelled);
  EXPECT_EQ(outcome->signal, SIGKILL);
  for (std::size_t i = 1; i < family.size(); ++i) EXPECT_FALSE(alive(family[i])) << i;
}

TEST_F(ProcessTest, EndsWhatTheProgramLeavesBehind) {
  const auto outcome =
      run(shell("setsid sleep 300 >/dev/null 2>&1 & echo $!; (setsid sleep 300 & echo $!)"));
  ASSERT_TRUE(outcome.ok());
  EXPECT_EQ(outcome->exit_code, 0);
  std::istringstream in(outcome->out);
  std::size_t count = 0;
  for (pid_t pid = 0; in >> pid; ++count) EXPECT_FALSE(alive(pid));
  EXPECT_EQ(count, 2u);
}

TEST_F(ProcessTest, HearsThoseOutWhoAreStillWritingWhenTheProgramHasEnded) {
  auto command = shell("(sleep 0.05; echo late) &");
  command.grace = 30s;
  const auto outcome = run(command);
  ASSERT_TRUE(outcome.ok());
  EXPECT_EQ(outcome->out, "late\n");
}

TEST_F(ProcessTest, AsksPolitelyFirst) {
  auto command = shell("trap 'echo bye; exit 7' TERM; echo up; while :; do sleep 0.01; done");
  command.grace = 30s;
  std::atomic<bool> up = false;
  command.on_output = [&](OutputStream, std::string_view) { up = true; };
  const auto outcome = run(command, [&] { return up.load(); });
  ASSERT_TRUE(outcome.ok());
  EXPECT_TRUE(outcome->cancelled);
  EXPECT_EQ(outcome->exit_code, 7);
  EXPECT_EQ(outcome->out, "up\nbye\n");
}

TEST_F(ProcessTest, WakesWhoIsStoppedSoThatItCanEnd) {
  auto command = shell("trap 'exit 7' TERM; echo $$; kill -STOP $$; sleep 300");
  command.grace = 30s;
  Numbers numbers;
  numbers.hear_from(command);
  auto running = begin(command);
  (void)numbers.await(1);
  cancelled_ = true;
  const auto outcome = running.get();
  ASSERT_TRUE(outcome.ok());
  EXPECT_LT(outcome->duration, 20s);
}

TEST_F(ProcessTest, DoesNotWaitOutTheGraceOnceItIsHurried) {
  auto command = shell("trap '' TERM; echo up; while :; do sleep 300; done");
  command.grace = 300s;
  std::atomic<bool> up = false;
  command.on_output = [&](OutputStream, std::string_view) { up = true; };
  command.hurried = [] { return true; };
  const auto outcome = run(command, [&] { return up.load(); });
  ASSERT_TRUE(outcome.ok());
  EXPECT_EQ(outcome->signal, SIGKILL);
}

// The last of it comes while the beginning is still being heard.
TEST_F(ProcessTest, KeepsWhatAProgramLeftBehindWritesAsItEnds) {
  const auto go = (directory_.path() / "go").string();
  auto command = shell("echo $PPID; sh -c 'trap \"echo first; while [ ! -e " + go +
                       " ]; do :; done; echo last; exit\" TERM; echo ready >&2;"
                       "while :; do sleep 300 & wait; done' & read line");
  std::string heard;
  command.on_output = [&](OutputStream, std::string_view bytes) {
    heard += bytes;
    if (heard.find("first\n") == std::string::npos) return;
    std::ofstream(go).flush();
    EXPECT_TRUE(eventually([&] { return !alive(std::stoi(heard)); }));
  };
  const auto outcome = run(command);
  ASSERT_TRUE(outcome.ok()) << to_string(outcome.error());
  EXPECT_TRUE(outcome->out.ends_with("first\nlast\n")) << outcome->out;
}

TEST_F(ProcessTest, WhatBearsOneNameRunsOneAfterTheOther) {
  std::vector<std::thread> threads;
  std::atomic<int> good = 0;
  const std::string running = (directory_.path() / "running").string();
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      auto command = shell("mkdir " + running + " && sleep 0.02 && rmdir " + running);
      command.alone_as = "the only one";
      const auto outcome = run(command);
      if (outcome && outcome->exit_code == 0) ++good;
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(good, 4);
}

TEST_F(ProcessTest, InheritsNoDescriptorsAndNoSignals) {
  const int leaked = ::open("/dev/null", O_RDONLY);  // without O_CLOEXEC
  ASSERT_GT(leaked, 2);
  ::signal(SIGPIPE, SIG_IGN);
  sigset_t blocked;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &blocked, nullptr);
  const auto outcome = run(
      shell("ls /proc/self/fd | tr '\\n' ' '; awk '/^Sig(Blk|Ign)/ {print $2}' /proc/self/status"));
  ::pthread_sigmask(SIG_UNBLOCK, &blocked, nullptr);
  ::signal(SIGPIPE, SIG_DFL);
  ::close(leaked);
  ASSERT_TRUE(outcome.ok());
  ASSERT_TRUE(outcome->out.starts_with("0 1 2 3 ")) << "3 is what ls reads the directory by";
  std::istringstream masks(outcome->out.substr(8));
  std::uint64_t ignored = 0, blocked_there = 0;
  masks >> std::hex >> blocked_there >> ignored;
  EXPECT_EQ(blocked_there, 0u);
  EXPECT_EQ(ignored & 0x7FFF'FFFFu, 0u) << "but for 32 and 33, which belong to the C library";
}

TEST_F(ProcessTest, SetsLimits) {
  auto command = shell("ulimit -n; ulimit -c");
  command.limits = {{RLIMIT_NOFILE, 123}, {RLIMIT_CORE, 0}};
  const auto outcome = run(command);
  ASSERT_TRUE(outcome.ok());
  EXPECT_EQ(outcome->out, "123\n0\n");
  command.limits = {{12345, 1}};
  const auto refused = run(command);
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().message.find("limits"), std::string::npos);
}

TEST_F(ProcessTest, TellsWhyAProgramCannotBeStarted) {
  auto command = shell("");
  command.arguments = {"/no/such/program"};
  EXPECT_EQ(run(command).error().code, Errc::NOT_FOUND);
  command.arguments = {"/etc/passwd"};
  EXPECT_EQ(run(command).error().code, Errc::PERMISSION_DENIED);
  command.arguments = {"true"};
  command.directory = "/no/such/dir";
  EXPECT_NE(run(command).error().message.find("cannot enter /no/such/dir"), std::string::npos);
}

TEST_F(ProcessTest, TakesArgumentsAndEnvironmentUpToTheKernelsLimits) {
  auto command = shell("");
  command.arguments = {"sh", "-c", "echo $#; echo ${#LONG}", "sh"};
  for (int i = 0; i < 9'000; ++i) command.arguments.push_back(std::string(100, 'x'));
  command.environment.push_back("LONG=" + std::string(100'000, 'y'));
  const auto outcome = run(command);
  ASSERT_TRUE(outcome.ok()) << to_string(outcome.error());
  EXPECT_EQ(outcome->out, "9000\n100000\n");
}

TEST_F(ProcessTest, RunsManyAtOnce) {
  std::vector<std::thread> threads;
  std::atomic<int> good = 0;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 10; ++i) {
        const auto outcome = run(shell("echo " + std::to_string(t)));
        if (outcome && outcome->out == std::to_string(t) + "\n" && outcome->exit_code == 0) ++good;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(good, 80);
}

TEST(Process, LeavesNoChildBehindAndNoFile) {
  test::TempDir directory;
  const std::string lock = (directory.path() / "lock").string();
  {
    ForkServer server{{.lock_path = lock}};
    for (int i = 0; i < 5; ++i) ASSERT_TRUE(run_process(server, shell("exit 0"), kNever).ok());
    auto missing = shell("");
    missing.arguments = {"/nope"};
    ASSERT_FALSE(run_process(server, missing, kNever).ok());
  }
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
  EXPECT_EQ(errno, ECHILD);
}

TEST(Process, SaysWhatIsMissingWhenItCannotStartPrograms) {
  ForkServer server{{.program = "/no/such/launch"}};
  const auto outcome = run_process(server, shell("true"), kNever);
  ASSERT_FALSE(outcome.ok());
  EXPECT_NE(outcome.error().message.find("/no/such/launch"), std::string::npos);
}

TEST(Process, LooksForProgramsAsAShellDoes) {
  using List = std::vector<std::string>;
  EXPECT_EQ(program_candidates("a/b", {"PATH=/x"}), List{"a/b"});
  EXPECT_EQ(program_candidates("ls", {"A=1", "PATH=/x::/y"}), (List{"/x/ls", "./ls", "/y/ls"}));
  EXPECT_EQ(program_candidates("ls", {}), (List{"/usr/local/bin/ls", "/usr/bin/ls", "/bin/ls"}));
}

}  // namespace
}  // namespace symphony::runtime
