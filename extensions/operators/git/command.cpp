#include "extensions/operators/git/command.hpp"

#include <algorithm>
#include <cstdlib>
#include <string_view>

#include "extensions/operators/paths.hpp"
#include "runtime/process/process.hpp"

namespace symphony::extensions::git {
namespace {

constexpr std::size_t kMaxComplaintBytes = 300;

// What git must not take from a repository. Settings given this way count more than any file's.
constexpr std::pair<const char*, const char*> kSettings[] = {
    {"safe.directory", "*"},
    {"safe.bareRepository", "all"},
    {"core.fsmonitor", "false"},
    {"core.hooksPath", "/dev/null"},
    {"core.attributesFile", "/dev/null"},
    {"core.excludesFile", "/dev/null"},
    {"core.pager", "cat"},
    {"core.sshCommand", "false"},
    {"core.bigFileThreshold", "64m"},  // larger ones are binary to a diff: they would fill memory
    {"protocol.allow", "never"},
    {"credential.helper", ""},
    {"log.showSignature", "false"},
    {"i18n.logOutputEncoding", "UTF-8"},
    {"submodule.recurse", "false"},
    {"gc.auto", "0"},
};

std::vector<std::string> environment(const Command& command) {
  const char* path = std::getenv("PATH");
  std::vector<std::string> list = {
      std::string("PATH=") + (path != nullptr ? path : "/usr/local/bin:/usr/bin:/bin"),
      "HOME=/nonexistent",  // "~" in a setting needs one, and finds nothing there
      "LC_ALL=C",
      "GIT_CONFIG_NOSYSTEM=1",
      "GIT_CONFIG_GLOBAL=/dev/null",
      "GIT_ATTR_NOSYSTEM=1",
      "GIT_OPTIONAL_LOCKS=0",
      "GIT_NO_LAZY_FETCH=1",
      "GIT_ALLOW_PROTOCOL=none",  // the same for a git that knows no GIT_NO_LAZY_FETCH
      "GIT_TERMINAL_PROMPT=0",
      "GIT_LITERAL_PATHSPECS=1",
      "GIT_DISCOVERY_ACROSS_FILESYSTEM=1",
  };
  std::size_t count = 0;
  const auto set = [&](const std::string& key, const std::string& value) {
    const std::string number = std::to_string(count++);
    list.push_back("GIT_CONFIG_KEY_" + number + "=" + key);
    list.push_back("GIT_CONFIG_VALUE_" + number + "=" + value);
  };
  for (const auto& [key, value] : kSettings) set(key, value);
  for (const auto& [key, value] : command.settings) set(key, value);
  list.push_back("GIT_CONFIG_COUNT=" + std::to_string(count));
  return list;
}

// The line that says why git gave up, else the first line there is.
std::string complaint_of(std::string_view errors) {
  std::string_view chosen;
  for (std::string_view rest = errors; !rest.empty();) {
    const auto line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    if (chosen.empty()) chosen = line;
    if (line.starts_with("fatal: ")) {
      chosen = line;
      break;
    }
  }
  for (const std::string_view word : {"fatal: ", "error: ", "warning: "}) {
    if (chosen.starts_with(word)) chosen.remove_prefix(word.size());
  }
  std::string text = to_utf8_lossy(chosen.substr(0, kMaxComplaintBytes));
  std::ranges::replace_if(
      text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }, ' ');
  return text;
}

}  // namespace

Caller caller_of(actors::OperatorContext& context) {
  return {.fork_server = context.fork_server(),
          .cancelled = [&context] { return context.cancelled(); },
          .hurried = [&context] { return context.hurried(); },
          .deadline = context.deadline()};
}

Result<Answer> run_git(Command command, const Caller& caller) {
  runtime::ProcessCommand process;
  process.environment = environment(command);
  process.arguments = {"git", "-C", command.directory};
  std::ranges::move(command.arguments, std::back_inserter(process.arguments));
  process.input = std::move(command.input);
  process.max_output_bytes = kMaxOutputBytes;
  process.deadline = std::min(caller.deadline, std::chrono::steady_clock::now() + kTimeLimit);
  process.hurried = caller.hurried;
  const Error cancelled{Errc::CANCELLED, "Reading the git repository was cancelled."};
  if (caller.cancelled()) return cancelled;
  auto outcome = runtime::run_process(caller.fork_server, process, caller.cancelled);
  if (!outcome) {
    if (outcome.error().code != Errc::NOT_FOUND) return outcome.error();
    return Error{Errc::UNAVAILABLE, "The program git is not installed (or not in PATH)."};
  }
  if (outcome->cancelled) return cancelled;
  if (outcome->timed_out) {
    return Error{Errc::DEADLINE_EXCEEDED,
                 "git " + process.arguments[3] + " took too long and was ended."};
  }
  if (outcome->out_truncated) {
    return Error{Errc::RESOURCE_EXHAUSTED, "git " + process.arguments[3] + " writes more than " +
                                               std::to_string(kMaxOutputBytes >> 20) +
                                               " MiB: ask for fewer commits."};
  }
  Answer answer{outcome->exit_code, std::move(outcome->out), complaint_of(outcome->err)};
  if (outcome->signal != 0) {
    answer.complaint = "git was ended by signal " + std::to_string(outcome->signal);
  } else if (!answer.ok() && answer.complaint.empty()) {
    answer.complaint = "git ended with exit code " + std::to_string(answer.exit_code);
  }
  return answer;
}

bool is_passed_on(const Error& error) {
  return error.retryable || error.code == Errc::CANCELLED ||
         error.code == Errc::FAILED_PRECONDITION;
}

std::string chomped(std::string text) {
  if (text.ends_with('\n')) text.pop_back();
  return text;
}

}  // namespace symphony::extensions::git
