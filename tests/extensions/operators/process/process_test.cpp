#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "extensions/operators/paths.hpp"
#include "extensions/operators/process/run.hpp"
#include "tests/extensions/support.hpp"

namespace symphony::extensions {
namespace {

using namespace std::chrono_literals;
using testing::MemoryContext;
using testing::must;
using testing::TempDir;

Result<Json> process(Json arguments) {
  return testing::run(add_process_operators, "process.run", std::move(arguments));
}

Json sh(const std::string& script) { return Json::array({"sh", "-c", script}); }

ProcessCommand shell(const std::string& script) {
  return {.arguments = {"/bin/sh", "-c", script},
          .environment = {"PATH=/usr/bin:/bin"},
          .directory = {},
          .input = {},
          .max_output_bytes = 1 << 20,
          .deadline = std::chrono::steady_clock::now() + 60s,
          .grace = 100ms};
}

const std::function<bool()> kNever = [] { return false; };

TEST(ProcessRun, GivesOutputErrorsAndExitCode) {
  const Json result =
      must(process({{"command", sh("echo out; echo err >&2; exit 3")}, {"ok_exit_codes", {0, 3}}}));
  EXPECT_EQ(result["stdout"], "out\n");
  EXPECT_EQ(result["stderr"], "err\n");
  EXPECT_EQ(result["exit_code"], 3);
}

TEST(ProcessRun, PassesArgumentsWithoutAShell) {
  const Json result = must(process(
      {{"command", {"printf", "%s|", "a b", "$HOME", "\"q'", "l\nn", encode_path("\xff")}}}));
  EXPECT_EQ(result["stdout"], "a b|$HOME|\"q'|l\nn|\xEF\xBF\xBD|");
}

TEST(ProcessRun, FeedsInputLargerThanAPipeWhileReading) {
  const std::string input(1 << 20, 'x');
  const Json result =
      must(process({{"command", {"cat"}}, {"stdin", input}, {"output_limit_bytes", 2 << 20}}));
  EXPECT_EQ(result["stdout"], input);
}

TEST(ProcessRun, SurvivesAProgramThatDoesNotReadItsInput) {
  EXPECT_EQ(
      must(process({{"command", {"true"}}, {"stdin", std::string(1 << 20, 'x')}}))["exit_code"], 0);
}

TEST(ProcessRun, KeepsOnlyTheOutputLimit) {
  const Json result = must(process(
      {{"command", sh("head -c 3000000 /dev/zero | tr '\\0' a")}, {"output_limit_bytes", 1000}}));
  EXPECT_EQ(result["stdout"], std::string(1000, 'a'));
  EXPECT_EQ(result["stdout_truncated"], true);
  EXPECT_EQ(result["stderr_truncated"], false);
}

TEST(ProcessRun, SetsDirectoryAndEnvironment) {
  TempDir dir;
  const Json result = must(process({{"command", {"/bin/sh", "-c", "pwd; echo $A-$B-${HOME-none}"}},
                                    {"directory", dir.path()},
                                    {"environment", {{"A", "1"}, {"B", nullptr}}},
                                    {"environment_mode", "replace"}}));
  EXPECT_EQ(result["stdout"], std::filesystem::canonical(dir.path()).string() + "\n1--none\n");
  EXPECT_NE(must(process({{"command", sh("echo $PATH")}}))["stdout"], "\n");
}

TEST(ProcessRun, TellsWhyAProgramCannotBeStarted) {
  EXPECT_EQ(process({{"command", {"no-such-program-at-all"}}}).error().code, Errc::NOT_FOUND);
  EXPECT_EQ(process({{"command", {"/etc/passwd"}}}).error().code, Errc::PERMISSION_DENIED);
  const auto nowhere = process({{"command", {"true"}}, {"directory", "/no/such/dir"}});
  EXPECT_NE(nowhere.error().message.find("cannot enter '/no/such/dir'"), std::string::npos);
  EXPECT_EQ(process({{"command", Json::array()}}).error().field, "command");
  EXPECT_EQ(process({{"command", {"true"}}, {"ok_exit_codes", {256}}}).error().field,
            "ok_exit_codes");
}

TEST(ProcessRun, AFailureCarriesTheEndOfTheErrorOutput) {
  const auto failed = process({{"command", sh("echo broken >&2; exit 4")}});
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.error().message, "'sh' ended with exit code 4: broken");
  EXPECT_NE(process({{"command", sh("kill -9 $$")}}).error().message.find("signal 9"),
            std::string::npos);
}

bool alive(pid_t pid) {
  if (::kill(pid, 0) != 0) return false;
  // A killed orphan may wait for its new parent as a zombie.
  std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
  const std::string text{std::istreambuf_iterator<char>(stat), {}};
  const auto state = text.rfind(')');
  return state != std::string::npos && text.substr(state + 2, 1) != "Z";
}

// Killing is asynchronous: the signal is sent when run_process returns, and acted on soon after.
bool dies(pid_t pid) {
  const auto limit = std::chrono::steady_clock::now() + 10s;
  while (alive(pid)) {
    if (std::chrono::steady_clock::now() > limit) return false;
    std::this_thread::yield();
  }
  return true;
}

TEST(ProcessRun, EndsTheWholeGroupAtTheDeadlineEvenIfItIgnoresTheRequest) {
  auto command = shell("trap '' TERM; sleep 300 & echo $!; while :; do sleep 300; done");
  command.deadline = std::chrono::steady_clock::now() + 200ms;
  const auto outcome = run_process(command, kNever);
  ASSERT_TRUE(outcome.ok());
  EXPECT_TRUE(outcome->timed_out);
  EXPECT_EQ(outcome->signal, SIGKILL);
  EXPECT_LT(outcome->duration, 30s);
  ASSERT_FALSE(outcome->out.empty());
  EXPECT_TRUE(dies(std::stoi(outcome->out)));
}

TEST(ProcessRun, AsksPolitelyFirst) {
  auto command = shell("trap 'echo bye; exit 7' TERM; echo up; while :; do sleep 0.01; done");
  command.grace = 30s;
  int polls = 0;
  const auto outcome = run_process(command, [&] { return ++polls > 10; });
  ASSERT_TRUE(outcome.ok());
  EXPECT_TRUE(outcome->cancelled);
  EXPECT_EQ(outcome->exit_code, 7);
  EXPECT_EQ(outcome->out, "up\nbye\n");
}

TEST(ProcessRun, DoesNotWaitForADescendantThatKeepsTheOutputOpen) {
  const auto outcome = run_process(shell("sleep 300 & echo $!"), kNever);
  ASSERT_TRUE(outcome.ok());
  EXPECT_EQ(outcome->exit_code, 0);
  EXPECT_LT(outcome->duration, 60s);
  EXPECT_TRUE(dies(std::stoi(outcome->out)));
}

TEST(ProcessRun, InheritsNoDescriptors) {
  const int leaked = ::open("/dev/null", O_RDONLY);  // without O_CLOEXEC
  ASSERT_GT(leaked, 2);
  const auto outcome = run_process(
      shell("test -e /proc/self/fd/" + std::to_string(leaked) + " && echo leaked; echo done"),
      kNever);
  ::close(leaked);
  ASSERT_TRUE(outcome.ok());
  EXPECT_EQ(outcome->out, "done\n");
}

TEST(ProcessRun, LeavesNoZombies) {
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(run_process(shell("exit 0"), kNever).ok());
  ASSERT_FALSE(run_process({.arguments = {"/nope"}, .deadline = {}}, kNever).ok());
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
  EXPECT_EQ(errno, ECHILD);
}

TEST(ProcessRun, RunsManyAtOnce) {
  std::vector<std::thread> threads;
  std::atomic<int> good = 0;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      const auto outcome = run_process(shell("echo " + std::to_string(t)), kNever);
      if (outcome && outcome->out == std::to_string(t) + "\n" && outcome->exit_code == 0) ++good;
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(good, 8);
}

TEST(ProcessRun, ReportsTimeoutAndCancellationAsErrors) {
  EXPECT_EQ(process({{"command", {"sleep", "300"}}, {"timeout_ms", 50}}).error().code,
            Errc::DEADLINE_EXCEEDED);
  MemoryContext context;
  context.cancel_after_polls(2);
  EXPECT_EQ(
      testing::run(add_process_operators, "process.run", {{"command", {"sleep", "300"}}}, context)
          .error()
          .code,
      Errc::CANCELLED);
}

}  // namespace
}  // namespace symphony::extensions
