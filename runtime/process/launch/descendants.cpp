#include "runtime/process/launch/descendants.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <map>
#include <optional>
#include <string>

namespace symphony::launch {
namespace {

struct Stat {
  pid_t parent = 0;
  char state = 'Z';
  std::uint64_t start = 0;
};

// Of /proc/PID/stat. The name in parentheses may hold anything, parentheses too.
std::optional<Stat> read_stat(pid_t pid) {
  const std::string path = "/proc/" + std::to_string(pid) + "/stat";
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return std::nullopt;
  char text[1024];
  const ssize_t size = ::read(fd, text, sizeof text - 1);
  ::close(fd);
  if (size <= 0) return std::nullopt;
  text[size] = '\0';
  const char* at = std::strrchr(text, ')');
  if (at == nullptr || at[1] != ' ') return std::nullopt;
  Stat stat;
  stat.state = at[2];
  at += 3;
  constexpr int kParentField = 4, kStartField = 22;
  for (int field = kParentField; field <= kStartField; ++field) {
    char* end = nullptr;
    const unsigned long long value = std::strtoull(at, &end, 10);
    if (end == at) return std::nullopt;
    if (field == kParentField) stat.parent = static_cast<pid_t>(value);
    if (field == kStartField) stat.start = value;
    at = end;
  }
  return stat;
}

}  // namespace

std::vector<ProcessId> descendants_of(pid_t root, const std::set<pid_t>& spared) {
  std::multimap<pid_t, ProcessId> children;
  DIR* const proc = ::opendir("/proc");
  if (proc == nullptr) return {};
  while (const dirent* entry = ::readdir(proc)) {
    const auto pid = static_cast<pid_t>(std::strtol(entry->d_name, nullptr, 10));
    if (pid <= 0 || spared.contains(pid)) continue;
    const auto stat = read_stat(pid);
    if (!stat || stat->state == 'Z' || stat->state == 'X') continue;
    children.emplace(stat->parent, ProcessId{pid, stat->start});
  }
  ::closedir(proc);
  std::vector<ProcessId> found;
  const auto add_children = [&](pid_t parent) {
    const auto [first, last] = children.equal_range(parent);
    for (auto child = first; child != last; ++child) found.push_back(child->second);
    children.erase(first, last);
  };
  add_children(root);
  for (std::size_t i = 0; i < found.size(); ++i) add_children(found[i].pid);
  return found;
}

void send_signal(const ProcessId& process, int number) {
  const auto fd = static_cast<int>(::syscall(SYS_pidfd_open, process.pid, 0));
  if (fd < 0 && errno != ENOSYS) return;
  const auto stat = read_stat(process.pid);
  if (stat && stat->start == process.start) {
    if (fd < 0 || ::syscall(SYS_pidfd_send_signal, fd, number, nullptr, 0) != 0)
      ::kill(process.pid, number);
  }
  if (fd >= 0) ::close(fd);
}

}  // namespace symphony::launch
