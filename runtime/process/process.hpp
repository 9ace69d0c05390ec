// Running one program to its end: no shell, no terminal, bounded output, an end in every case.
//
// The program gets a session of its own, so that one that asks on /dev/tty fails at once. It and
// all that descend from it, whatever they do to get away, end at the deadline, when it is
// cancelled, when the program itself has ended, and when this process, its fork server or the
// program's launcher is killed: SIGTERM first, SIGKILL after the grace (fork_server.hpp,
// launch_core.hpp).
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "messages/result.hpp"
#include "runtime/process/fork_server.hpp"
#include "runtime/process/launch_frames.hpp"

namespace symphony::runtime {

// From asking a program to end (SIGTERM) until it is made to (SIGKILL).
inline constexpr std::chrono::milliseconds kTerminationGrace{1'000};
inline constexpr std::size_t kMaxProcessArguments = 10'000;
// Of the end of an output of which only the beginning is kept.
inline constexpr std::size_t kExcerptBytes = std::size_t{4} << 10;
// How often cancellation is looked at while the program runs.
inline constexpr std::chrono::milliseconds kProcessPollInterval{20};

enum class OutputStream : std::uint8_t { out = 1, err = 2 };

struct ProcessCommand {
  std::vector<std::string> arguments;    // the first names the program, looked up in PATH
  std::vector<std::string> environment;  // NAME=value, all of it
  std::string directory = {};            // empty: this process's own
  std::string input = {};                // fed to standard input, which is then closed
  std::vector<ResourceLimit> limits = {};
  std::size_t max_output_bytes = 0;  // kept of each stream; what is beyond is read and dropped
  std::chrono::steady_clock::time_point deadline;
  std::chrono::milliseconds grace = kTerminationGrace;
  // Once it is being ended: whether the grace is over at once.
  std::function<bool()> hurried = {};
  // Not to be run while another of this name runs; empty: beside any.
  std::string alone_as = {};
  // Hears all that is written, as it is.
  std::function<void(OutputStream, std::string_view)> on_output = {};
};

struct ProcessOutcome {
  int exit_code = -1;  // -1 when a signal ended it
  int signal = 0;      // the signal that ended it, or 0
  std::string out;     // the first max_output_bytes of each stream, …
  std::string err;
  bool out_truncated = false;
  bool err_truncated = false;
  std::uint64_t out_bytes = 0;  // written in all
  std::uint64_t err_bytes = 0;
  std::string out_tail;  // … and the last kExcerptBytes of what is beyond
  std::string err_tail;
  bool timed_out = false;
  bool cancelled = false;
  std::chrono::milliseconds duration{0};
  std::chrono::microseconds cpu{0};  // of the program and what it waited for
  std::uint64_t max_resident_bytes = 0;
};

// Starts the program and waits for its end and that of all it started. At the deadline, or once
// `cancelled` says so, it is ended. It inherits no descriptor but 0 to 2, no blocked or ignored
// signal. Errors: NOT_FOUND or what fits when it cannot be started; CANCELLED or DEADLINE_EXCEEDED
// when that came before it was; UNAVAILABLE when what watches over it was killed: retryable when
// all of it has ended, not so when both its launcher and the fork server were killed and something
// of it still holds its output. The next fork server ends that, where there are control groups.
// Thread-safe.
Result<ProcessOutcome> run_process(ForkServer& server, const ProcessCommand& command,
                                   const std::function<bool()>& cancelled);

// The paths at which a program is looked for, in turn: as execvp does, by the PATH of
// `environment`. Pure.
std::vector<std::string> program_candidates(const std::string& program,
                                            const std::vector<std::string>& environment);

}  // namespace symphony::runtime
