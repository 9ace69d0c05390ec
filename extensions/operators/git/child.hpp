// Runs git: no shell, its own process group, bounded output, an end in every case. A git that only
// reads leaves no session and no daemons, so it needs no launcher to watch over what it starts; and
// tens of them are started in a second.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "messages/result.hpp"

namespace symphony::extensions::git {

// From asking a process group to end (SIGTERM) until it is made to (SIGKILL).
inline constexpr std::chrono::milliseconds kTerminationGrace{2000};
// How often cancellation is looked at while the program runs.
inline constexpr std::chrono::milliseconds kChildPollInterval{20};

struct ChildCommand {
  std::vector<std::string> arguments;    // the first names the program, looked up in PATH
  std::vector<std::string> environment;  // NAME=value, all of it
  std::string directory;                 // empty: this process's own
  std::string input;                     // fed to standard input, which is then closed
  std::size_t max_output_bytes = 0;      // kept of each stream; what is beyond is read and dropped
  std::chrono::steady_clock::time_point deadline;
  std::chrono::milliseconds grace = kTerminationGrace;
  std::function<bool()> hurried = {};  // whether nobody waits for the grace any more
};

struct ChildOutcome {
  int exit_code = -1;  // -1 when a signal ended it
  int signal = 0;      // the signal that ended it, or 0
  std::string out;
  std::string err;
  bool out_truncated = false;
  bool err_truncated = false;
  bool timed_out = false;
  bool cancelled = false;
  std::chrono::milliseconds duration{0};
};

// Starts the program and waits for its end, its output being closed or, after it ended, the group
// being killed. At the deadline, or once `cancelled` says so, the group gets SIGTERM and after
// `grace` SIGKILL. The child inherits no descriptor but 0 to 2, no blocked or ignored signal. Fails
// with Errc::NOT_FOUND or what fits when the program cannot be started. Thread-safe; leaves no
// zombie, and ends with the thread that waits for it. The program's descendants are killed with it
// as long as they stay in its group.
Result<ChildOutcome> run_child(const ChildCommand& command, const std::function<bool()>& cancelled);

}  // namespace symphony::extensions::git
