// Programs to run and ways to look at what becomes of them.
#pragma once

#include <sys/types.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <fstream>
#include <functional>
#include <future>
#include <iterator>
#include <mutex>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "runtime/process/process.hpp"
#include "tests/support/temp_dir.hpp"

namespace symphony::runtime::testing {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

inline constexpr auto kPatience = 30s;
inline const std::function<bool()> kNever = [] { return false; };

inline ProcessCommand shell(const std::string& script) {
  ProcessCommand command;
  command.arguments = {"/bin/sh", "-c", script};
  command.environment = {"PATH=/usr/bin:/bin"};
  command.max_output_bytes = 1 << 20;
  command.deadline = Clock::now() + 60s;
  command.grace = 200ms;
  return command;
}

// A killed process that nobody has reaped yet is not alive.
inline bool alive(pid_t pid) {
  std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
  std::string text;
  std::getline(stat, text);  // fails, and does not throw, where it is reaped in between
  const auto state = text.rfind(')');
  return state != std::string::npos && text.substr(state + 2, 1) != "Z";
}

inline bool eventually(const std::function<bool()>& condition, Clock::duration within = kPatience) {
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
inline constexpr const char* kFamily =
    "trap '' TERM HUP INT; echo $PPID; echo $$;"
    "setsid sh -c 'echo $$; sleep 300 & echo $!; wait' >&1 &"
    "while :; do sleep 300; done";
inline constexpr std::size_t kFamilySize = 4;

class ProcessTest : public ::testing::Test {
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

}  // namespace symphony::runtime::testing
