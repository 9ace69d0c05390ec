#include "actors/bootstrap/cli/start_node.hpp"

#include <fcntl.h>
#include <limits.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "actors/bootstrap/exit_codes.hpp"
#include "messages/json_value.hpp"
#include "runtime/system/fs.hpp"

namespace symphony::cli {
namespace {

using runtime::Descriptor;
using runtime::system_error;

constexpr std::size_t kSaidBytesMax = std::size_t{64} << 10;

// The program that this is. By its name, which is what `ps` shows; a file that was replaced since
// is still there under the other.
std::string own_program() {
  char path[PATH_MAX];
  const auto length = ::readlink("/proc/self/exe", path, sizeof path);
  if (length <= 0 || length == sizeof path) return "/proc/self/exe";
  const std::string name(path, static_cast<std::size_t>(length));
  return ::access(name.c_str(), X_OK) == 0 ? name : "/proc/self/exe";
}

// Between fork and exec: system calls only.
[[noreturn]] void become_node(const char* program, char* const* arguments, int nothing, int said) {
  ::setsid();
  ::dup2(nothing, STDIN_FILENO);
  ::dup2(said, STDOUT_FILENO);
  ::dup2(said, STDERR_FILENO);
  ::close_range(STDERR_FILENO + 1, ~0U, 0);
  ::execv(program, arguments);
  ::_exit(bootstrap::kExitFailed);
}

// What a node says: a line of JSON that it is ready, or why it is not.
NodeStart understand(const std::string& said) {
  NodeStart start;
  for (std::size_t at = 0; at < said.size();) {
    const auto end = std::min(said.find('\n', at), said.size());
    const auto line = said.substr(at, end - at);
    at = end + 1;
    const Json json = Json::parse(line, nullptr, false);
    if (json.is_object() && json.value("ready", false)) start.ready = true;
    if (json.is_object() && json.value("kind", "") == "error")
      start.message = json.value("message", "");
    else if (!json.is_object() && start.message.empty())
      start.message = line;  // of a library, or of the loader
  }
  return start;
}

}  // namespace

StartLock::StartLock(std::string path, Descriptor file)
    : path_(std::move(path)), file_(std::move(file)) {}

// While it is locked: whoever opened it meanwhile finds that it is no more what has the name.
StartLock::~StartLock() {
  if (file_.valid()) ::unlink(path_.c_str());
}

Result<std::optional<StartLock>> StartLock::try_lock(const std::string& socket_path) {
  const std::string path = socket_path + ".starting";
  Descriptor file{::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)};
  if (!file.valid()) return system_error("create", path, errno);
  if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK || errno == EINTR) return std::optional<StartLock>{};
    return system_error("lock", path, errno);
  }
  struct stat own {};
  struct stat named {};
  const bool same = ::fstat(file.get(), &own) == 0 && ::stat(path.c_str(), &named) == 0 &&
                    own.st_dev == named.st_dev && own.st_ino == named.st_ino;
  if (!same) return std::optional<StartLock>{};
  return std::optional<StartLock>{StartLock{path, std::move(file)}};
}

Result<NodeStart> start_node(Desk& desk, const std::vector<std::string>& arguments) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return system_error("make a pipe for", "a node", errno);
  Descriptor hear{ends[0]};
  Descriptor said{ends[1]};
  const Descriptor nothing{::open("/dev/null", O_RDWR | O_CLOEXEC)};
  if (!nothing.valid()) return system_error("open", "/dev/null", errno);
  const auto program = own_program();
  std::string name = "symphony";
  std::vector<std::string> words = arguments;
  std::vector<char*> argv{name.data()};
  for (auto& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const pid_t pid = ::fork();
  if (pid < 0) return system_error("start", "a node", errno);
  if (pid == 0) become_node(program.c_str(), argv.data(), nothing.get(), said.get());
  said = Descriptor{};
  std::string text;
  char chunk[4096];
  for (;;) {
    if (!desk.await_readable(hear.get())) return Error{Errc::CANCELLED, "interrupted"};
    const auto got = ::read(hear.get(), chunk, sizeof chunk);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0 || text.size() > kSaidBytesMax) break;
    text.append(chunk, static_cast<std::size_t>(got));
    if (understand(text).ready) return NodeStart{.ready = true};
  }
  NodeStart start = understand(text);
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  start.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : int{bootstrap::kExitBootFailed};
  if (start.message.empty())
    start.message = WIFSIGNALED(status)
                        ? "the node was ended by signal " + std::to_string(WTERMSIG(status))
                        : "the node ended before it was ready, without a word";
  return start;
}

}  // namespace symphony::cli
