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
#include <future>
#include <iterator>
#include <mutex>
#include <sstream>
#include <thread>

#include "tests/support/temp_dir.hpp"

namespace symphony::runtime {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr auto kPatience = 30s;
const std::function<bool()> kNever = [] { return false; };

ProcessCommand shell(const std::string& script) {
  ProcessCommand command;
  command.arguments = {"/bin/sh", "-c", script};
  command.environment = {"PATH=/usr/bin:/bin"};
  command.max_output_bytes = 1 << 20;
  command.deadline = Clock::now() + 60s;
  command.grace = 200ms;
  return command;
}

// A killed process that nobody has reaped yet is not alive.
bool alive(pid_t pid) {
  std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
  std::string text;
  std::getline(stat, text);  // fails, and does not throw, where it is reaped in between
  const auto state = text.rfind(')');
  return state != std::string::npos && text.substr(state + 2, 1) != "Z";
}

bool eventually(const std::function<bool()>& condition, Clock::duration within = kPatience) {
  const auto limit = Clock::now() + within;
  while (!condition()) {
    if (Clock::now() > limit) return false;
    std::this_thread::yield();
  }
  return true;
}

// Numbers that a program prints as it goes.
class Numbers {
 public:
  void hear_from(ProcessCommand& command) {
    command.on_output = [this](OutputStream, std::string_view bytes) {
      const std::lock_guard lock(mutex_);
      text_ += bytes;
    };
  }
  // Waits for so many lines.
  std::vector<pid_t> await(std::size_t count) {
    EXPECT_TRUE(eventually([&] {
      const std::lock_guard lock(mutex_);
      return static_cast<std::size_t>(std::ranges::count(text_, '\n')) >= count;
    }));
    const std::lock_guard lock(mutex_);
    std::istringstream in(text_);
    return {std::istream_iterator<pid_t>(in), {}};
  }

 private:
  std::mutex mutex_;
  std::string text_;
};

// A descendant that left its group and its session and ignores what it can, and one that does not.
// Prints the launcher's number, the program's own and theirs, each a line.
constexpr const char* kFamily =
    "trap '' TERM HUP INT; echo $PPID; echo $$;"
    "setsid sh -c 'echo $$; sleep 300 & echo $!; wait' >&1 &"
    "while :; do sleep 300; done";
constexpr std::size_t kFamilySize = 4;

class ProcessTest : public testing::Test {
 protected:
  Result<ProcessOutcome> run(const ProcessCommand& command,
                             const std::function<bool()>& cancelled = kNever) {
    return run_process(server_, command, cancelled);
  }
  // On a thread of its own, until `cancelled_`.
  std::future<Result<ProcessOutcome>> begin(const ProcessCommand& command) {
    return std::async(std::launch::async,
                      [&] { return run(command, [&] { return cancelled_.load(); }); });
  }

  test::TempDir directory_;
  std::string lock_ = (directory_.path() / "programs.lock").string();
  ForkServer server_{{.lock_path = lock_}};
  std::atomic<bool> cancelled_ = false;
};

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

TEST_F(ProcessTest, AKilledLauncherTakesEveryDescendantAlong) {
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

TEST_F(ProcessTest, AKilledForkServerEndsItsProgramsAndIsStartedAnew) {
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
TEST_F(ProcessTest, ProgramsRunAfterBothWhoWatchedOverTheOnesBeforeWereKilled) {
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
TEST_F(ProcessTest, ProgramsRunAfterSomeThatMadeAControlGroupInTheirsWereKilled) {
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

TEST_F(ProcessTest, GivesUpAForkServerThatIsNotReadyWhenItIsCancelledAndGoesOnWithItLater) {
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

TEST_F(ProcessTest, ALauncherThatIsStoppedIsEndedByTheForkServer) {
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

TEST_F(ProcessTest, ProgramsOfANodeThatLivesKeepAnotherFromStartingAny) {
  ASSERT_TRUE(run(shell("true")).ok());
  ForkServer other{{.lock_path = lock_}};
  const auto refused = run_process(other, shell("true"), kNever);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Errc::FAILED_PRECONDITION);
  EXPECT_NE(refused.error().message.find("programs.lock"), std::string::npos);
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
