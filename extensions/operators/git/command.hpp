// Starts git: the one place where this program runs it.
//
// Git's own plumbing reads whatever repository there is: every object format, index format,
// extension and rule. It is started so that it only reads, and reads the same for everybody:
// - no shell; an environment of our own, so that no GIT_* variable, and no setting of the user or
//   the machine, changes an answer;
// - no program that a repository names is started: hooks, fsmonitor, external diffs, text
//   conversion and filters are off;
// - nothing is fetched: what a partial clone lacks is an error, not a connection;
// - no lock is taken, no index written;
// - repositories of other owners are read, since none of the above lets them do harm.
// Thread-safe.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "actors/orchestration/operator.hpp"
#include "messages/result.hpp"

namespace symphony::extensions::git {

// Of what one git writes: more is an error.
inline constexpr std::size_t kMaxOutputBytes = 256 << 20;
// One git that runs for longer is ended.
inline constexpr std::chrono::minutes kTimeLimit{30};

// What starts git for whoever asks, and how long he is willing to wait. Lives no longer than he.
struct Caller {
  runtime::ForkServer& fork_server;
  std::function<bool()> cancelled;
  std::function<bool()> hurried;
  std::chrono::steady_clock::time_point deadline;
};
Caller caller_of(actors::OperatorContext& context);

struct Command {
  std::string directory;               // raw bytes; git looks for the repository from here upwards
  std::vector<std::string> arguments;  // without "git"
  std::string input = {};              // of its standard input
  std::vector<std::pair<std::string, std::string>> settings = {};  // above the repository's
};

struct Answer {
  int exit_code = 0;
  std::string output;
  std::string complaint;  // what git says went wrong, one line of UTF-8; empty when it says nothing

  bool ok() const noexcept { return exit_code == 0; }
};

// An answer is there whatever the exit code. Errc::CANCELLED and DEADLINE_EXCEEDED as they say;
// UNAVAILABLE where git is not installed or what watches over it was killed; RESOURCE_EXHAUSTED
// beyond kMaxOutputBytes.
Result<Answer> run_git(Command command, const Caller& caller);

// Whether an error says nothing about a repository: it was cancelled, or git could not be started
// or watched over. Whoever asks fails by it, and makes no answer of it.
bool is_passed_on(const Error& error);

// `text` without the newline at its end.
std::string chomped(std::string text);

}  // namespace symphony::extensions::git
