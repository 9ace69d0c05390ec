#include "runtime/process/launch/control_group.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <string_view>

namespace symphony::launch {
namespace {

// Where version 2 of the hierarchy is mounted, from /proc/self/mountinfo:
//   id parent major:minor root MOUNT options [optional…] - TYPE source options
// Of groups that programs make in theirs.
constexpr int kMaxGroupDepth = 32;

std::string mount_point() {
  std::ifstream mounts("/proc/self/mountinfo");
  std::string line;
  while (std::getline(mounts, line)) {
    const auto separator = line.find(" - cgroup2 ");
    if (separator == std::string::npos) continue;
    std::istringstream fields(line.substr(0, separator));
    std::string id, parent, device, root, mount;
    if (fields >> id >> parent >> device >> root >> mount && root == "/") return mount;
  }
  return {};
}

// Our own group in it: the line "0::/path" of /proc/self/cgroup.
std::string own_group() {
  std::ifstream groups("/proc/self/cgroup");
  std::string line;
  while (std::getline(groups, line))
    if (line.starts_with("0::/")) return line.substr(3);
  return {};
}

bool populated(int directory) {
  const int fd = ::openat(directory, "cgroup.events", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  char text[256];
  const ssize_t size = ::read(fd, text, sizeof text);
  ::close(fd);
  return size > 0 && std::string_view(text, static_cast<std::size_t>(size)).find("populated 1") !=
                         std::string_view::npos;
}

// Removes a group in which nobody is, and those that programs made in it.
bool remove_group(const std::string& path, int depth) {
  if (DIR* const directory = depth < kMaxGroupDepth ? ::opendir(path.c_str()) : nullptr) {
    while (const dirent* const entry = ::readdir(directory)) {
      const std::string_view name = entry->d_name;
      if (entry->d_type == DT_DIR && name != "." && name != "..")
        remove_group(path + "/" + entry->d_name, depth + 1);
    }
    ::closedir(directory);
  }
  return ::rmdir(path.c_str()) == 0;
}

}  // namespace

ControlGroup::~ControlGroup() {
  if (directory_ < 0) return;
  ::close(directory_);
  remove_group(path_, 0);  // stays where somebody is in it, for the next one to end
}

void ControlGroup::open(const std::string& name) {
  const std::string mount = mount_point();
  const std::string own = own_group();
  if (mount.empty() || own.empty()) return;
  path_ = mount + (own == "/" ? "" : own) + "/" + name;
  fresh_ = ::mkdir(path_.c_str(), 0700) == 0;
  if (!fresh_ && errno != EEXIST) return;
  directory_ = ::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

// Since Linux 6.15 a group that was killed once kills whatever CLONE_INTO_CGROUP puts into it
// later: the new process is held against the count of kills of the group that it was cloned from.
// Where the group cannot be made anew there is none.
void ControlGroup::renew() {
  ::close(directory_);
  directory_ = -1;
  if (!remove_group(path_, 0) || ::mkdir(path_.c_str(), 0700) != 0) return;
  directory_ = ::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

bool ControlGroup::kill_all(int patience_ms) {
  if (directory_ < 0 || fresh_) return true;
  const int events = ::openat(directory_, "cgroup.events", O_RDONLY | O_CLOEXEC);
  const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(patience_ms);
  while (populated(directory_)) {
    const int fd = ::openat(directory_, "cgroup.kill", O_WRONLY | O_CLOEXEC);
    if (fd >= 0) {
      (void)!::write(fd, "1", 1);
      ::close(fd);
    }
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
                          until - std::chrono::steady_clock::now())
                          .count();
    if (left <= 0) break;
    pollfd changed{events, POLLPRI, 0};
    ::poll(&changed, events >= 0 ? 1 : 0, left < 20 ? static_cast<int>(left) : 20);
  }
  if (events >= 0) ::close(events);
  if (populated(directory_)) return false;
  renew();
  return true;
}

}  // namespace symphony::launch
