// symphony-launch: the fork server of a node, which a node starts for itself (fork_server.hpp).
//
//   node ──► fork server ──► launcher ──► program ──► …
//                       └──► launcher ──► program
//
// Forking from a small process with one thread is fast and safe, from a node it is neither. The
// fork server is subreaper of its launchers: when one of them is killed, what it watched over ends
// up here and is ended. When the fork server is killed, its launchers hear of it and end their
// programs; when the node is gone, both hear of it. So whichever of them is killed, two are left to
// see to it, and the lock that all of them hold is free only when the last of them has ended.
//
// Standard library only, linked statically: it starts in a millisecond and forks in a tenth of one.
#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/process/fork_protocol.hpp"
#include "runtime/process/launch/control_group.hpp"
#include "runtime/process/launch/descendants.hpp"
#include "runtime/process/launch/launcher.hpp"
#include "runtime/process/launch_frames.hpp"

namespace symphony::launch {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr int kControl = runtime::kForkControlDescriptor;
// How soon those who come from a launcher that was killed are looked for again.
constexpr milliseconds kSweepPeriod{5};
// What a group that nobody looks after any more is given to end.
constexpr int kGroupPatienceMs = 2'000;

struct Launch {
  pid_t pid = -1;
  int node = -1;      // a copy of the launcher's stream: open until all of the program is gone
  bool lost = false;  // it was killed, and what it watched over is being ended
  bool hung_up = false;
  std::optional<Clock::time_point> kill_at;
};

class ForkServer {
 public:
  explicit ForkServer(std::string lock_path) : lock_path_(std::move(lock_path)) {}

  int run() {
    ::setsid();
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
    sigset_t all;
    sigfillset(&all);
    ::sigprocmask(SIG_SETMASK, &all, nullptr);
    sigset_t children;
    sigemptyset(&children);
    sigaddset(&children, SIGCHLD);
    signals_ = ::signalfd(-1, &children, SFD_CLOEXEC | SFD_NONBLOCK);
    if (signals_ < 0) return 1;
    if (!lock_path_.empty()) {
      if (const auto problem = lock(); !problem.empty()) return say(problem), 1;
      if (!group_.kill_all(kGroupPatienceMs))
        return say("programs of the node before do not end"), 1;
    }
    say("");
    while (!node_gone_ || !launches_.empty()) turn();
    return 0;
  }

 private:
  // To the node: that it is ready, or why not.
  void say(const std::string& problem) {
    const std::string text = problem.empty() ? std::string(runtime::kForkReady) : problem;
    (void)!::send(kControl, text.data(), text.size(), MSG_NOSIGNAL);
  }

  // ---- the lock -----------------------------------------------------------------------------

  // Takes the lock, waiting for those who still hold it. What is wrong, if it cannot.
  std::string lock() {
    lock_ = ::open(lock_path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    struct stat stat {};
    if (lock_ < 0 || ::fstat(lock_, &stat) != 0)
      return "cannot open " + lock_path_ + ": " + std::strerror(errno);
    if (::flock(lock_, LOCK_EX | LOCK_NB) != 0 && !await_lock())
      return "programs of the node before still run: " + lock_path_ + " is held";
    char name[64];
    std::snprintf(name, sizeof name, "symphony-%llx-%llx",
                  static_cast<unsigned long long>(stat.st_dev),
                  static_cast<unsigned long long>(stat.st_ino));
    group_.open(name);
    return {};
  }

  // A child waits in flock(): what it locks is the open file, which is ours as well.
  bool await_lock() {
    const pid_t self = ::getpid();
    const pid_t waiter = ::fork();
    if (waiter == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      if (::getppid() != self) ::_exit(1);
      ::_exit(::flock(lock_, LOCK_EX) == 0 ? 0 : 1);
    }
    if (waiter < 0) return false;
    const auto until = Clock::now() + runtime::kLockPatience;
    int status = 1;
    for (;;) {
      if (::waitpid(waiter, &status, WNOHANG) == waiter)
        return WIFEXITED(status) && WEXITSTATUS(status) == 0;
      const auto left = std::chrono::ceil<milliseconds>(until - Clock::now()).count();
      pollfd watched[] = {{signals_, POLLIN, 0}, {kControl, POLLRDHUP, 0}};
      if (left <= 0 || (::poll(watched, 2, static_cast<int>(left)) > 0 && watched[1].revents != 0))
        break;
      drain_signals();
    }
    ::kill(waiter, SIGKILL);
    ::waitpid(waiter, nullptr, 0);
    return false;
  }

  void drain_signals() {
    signalfd_siginfo info{};
    while (::read(signals_, &info, sizeof info) > 0) {
    }
  }

  // ---- launches -----------------------------------------------------------------------------

  void turn() {
    watched_.clear();
    watched_.push_back({signals_, POLLIN, 0});
    watched_.push_back({node_gone_ ? -1 : kControl, POLLIN, 0});
    for (const Launch& launch : launches_)
      watched_.push_back({launch.hung_up ? -1 : launch.node, POLLRDHUP, 0});
    ::poll(watched_.data(), watched_.size(), timeout_ms());
    for (std::size_t i = 0; i < launches_.size(); ++i) {
      if (watched_[i + 2].revents == 0) continue;
      launches_[i].hung_up = true;
      launches_[i].kill_at = Clock::now() + runtime::kForkGrace;
    }
    if (watched_[0].revents != 0) {
      drain_signals();
      reap();
    }
    if (watched_[1].revents != 0) accept();
    press();
    sweep();
  }

  int timeout_ms() const {
    const bool sweeping = std::ranges::any_of(launches_, [](const auto& one) { return one.lost; });
    if (sweeping) return static_cast<int>(kSweepPeriod.count());
    std::optional<Clock::time_point> next;
    for (const Launch& launch : launches_)
      if (launch.kill_at && (!next || *launch.kill_at < *next)) next = launch.kill_at;
    if (!next) return -1;
    const auto left = std::chrono::ceil<milliseconds>(*next - Clock::now()).count();
    return static_cast<int>(std::max<std::int64_t>(left, 0));
  }

  void reap() {
    int status = 0;
    for (pid_t pid = 0; (pid = ::waitpid(-1, &status, WNOHANG)) > 0;) {
      const auto found =
          std::ranges::find_if(launches_, [&](const Launch& launch) { return launch.pid == pid; });
      if (found == launches_.end()) continue;  // somebody's program, which ended up here
      if (WIFEXITED(status) && WEXITSTATUS(status) == kCleanEnd) {
        ::close(found->node);
        launches_.erase(found);
      } else {
        found->lost = true;
        found->pid = -1;
        found->kill_at.reset();
      }
    }
  }

  // Launchers that nobody listens to had their time.
  void press() {
    const auto now = Clock::now();
    for (Launch& launch : launches_) {
      if (launch.lost || !launch.kill_at || now < *launch.kill_at) continue;
      ::kill(launch.pid, SIGKILL);
      launch.kill_at.reset();
    }
  }

  // Ends whoever is below us and below no launcher.
  void sweep() {
    const bool needed = std::ranges::any_of(launches_, [](const auto& one) { return one.lost; });
    if (!needed) return;
    std::set<pid_t> launchers;
    for (const Launch& launch : launches_)
      if (!launch.lost) launchers.insert(launch.pid);
    const auto strays = descendants_of(::getpid(), launchers);
    for (const ProcessId& stray : strays) send_signal(stray, SIGKILL);
    reap();
    if (!strays.empty()) return;  // looked for once more
    std::erase_if(launches_, [](const Launch& launch) {
      if (launch.lost) ::close(launch.node);
      return launch.lost;
    });
  }

  // One request: a byte and the launcher's four descriptors.
  void accept() {
    char byte = 0;
    iovec data{&byte, 1};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(runtime::kForkDescriptors * sizeof(int))> space{};
    msghdr message{};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    message.msg_control = space.data();
    message.msg_controllen = space.size();
    const ssize_t size = ::recvmsg(kControl, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    if (size == 0 || (size < 0 && errno != EAGAIN && errno != EINTR)) node_gone_ = true;
    if (size <= 0) return;
    std::array<int, runtime::kForkDescriptors> fds{};
    fds.fill(-1);
    const cmsghdr* const header = CMSG_FIRSTHDR(&message);
    if (header != nullptr && header->cmsg_type == SCM_RIGHTS) {
      const std::size_t bytes = std::min(header->cmsg_len - CMSG_LEN(0), sizeof fds);
      std::memcpy(fds.data(), CMSG_DATA(header), bytes);
    }
    if (fds.back() >= 0)
      launch({fds[0], fds[1], fds[2], fds[3]});
    else
      close_all(fds);
  }

  template <class Descriptors>
  static void close_all(const Descriptors& fds) {
    for (const int fd : fds)
      if (fd >= 0) ::close(fd);
  }

  void launch(const LauncherPipes& pipes) {
    const pid_t self = ::getpid();
    const pid_t pid = fork_into_group();
    if (pid == 0) {
      ::close(kControl);
      ::close(signals_);
      for (const Launch& other : launches_) ::close(other.node);
      ::_exit(run_launcher(pipes, self));
    }
    const int fork_error = errno;
    close_all(std::array{pipes.in, pipes.out, pipes.err});
    if (pid > 0) return launches_.push_back({pid, pipes.node, false, false, {}});
    const auto frame = runtime::encode(runtime::FailedFrame{runtime::StartStep::fork, fork_error});
    (void)!::send(pipes.node, frame.data(), frame.size(), MSG_NOSIGNAL);
    ::close(pipes.node);
  }

  pid_t fork_into_group() {
    if (group_.descriptor() >= 0) {
      clone_args arguments{};
      arguments.flags = CLONE_INTO_CGROUP;
      arguments.exit_signal = SIGCHLD;
      arguments.cgroup = static_cast<std::uint64_t>(group_.descriptor());
      const auto pid = static_cast<pid_t>(::syscall(SYS_clone3, &arguments, sizeof arguments));
      if (pid >= 0) return pid;
    }
    return ::fork();
  }

  const std::string lock_path_;
  ControlGroup group_;
  int lock_ = -1;
  int signals_ = -1;
  bool node_gone_ = false;
  std::vector<Launch> launches_;
  std::vector<pollfd> watched_;
};

}  // namespace
}  // namespace symphony::launch

int main(int argc, char** argv) {
  ::close_range(symphony::runtime::kForkControlDescriptor + 1, ~0U, 0);
  return symphony::launch::ForkServer(argc > 1 ? argv[1] : "").run();
}
