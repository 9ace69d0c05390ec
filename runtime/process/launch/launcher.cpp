#include "runtime/process/launch/launcher.hpp"

#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "runtime/process/launch/descendants.hpp"
#include "runtime/process/launch_core.hpp"
#include "runtime/process/launch_frames.hpp"

namespace symphony::launch {
namespace {

using runtime::ExitedFrame;
using runtime::LaunchCore;
using runtime::LaunchFrame;
using runtime::LaunchFrameReader;
using runtime::StartFrame;
using runtime::StartStep;
using Clock = std::chrono::steady_clock;

constexpr int kParentDied = SIGUSR1;  // what the kernel sends when the fork server is gone

// ---- the program --------------------------------------------------------------------------------

struct Image {
  std::vector<char*> argv;
  std::vector<char*> envp;
  std::vector<const char*> candidates;
  const StartFrame& start;
};

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> list;
  list.reserve(texts.size() + 1);
  for (const auto& text : texts) list.push_back(const_cast<char*>(text.c_str()));
  list.push_back(nullptr);
  return list;
}

// What the child leaves in the memory that it shares until its exec.
struct StartFailure {
  bool failed = false;
  StartStep step = StartStep::fork;
  int error_number = 0;
};

bool set_limits(const StartFrame& start) {
  for (const auto& limit : start.limits) {
    rlimit both{};
    both.rlim_cur = both.rlim_max = static_cast<rlim_t>(limit.value);
    if (::prlimit(0, static_cast<__rlimit_resource>(limit.resource), &both, nullptr) != 0)
      return false;
  }
  return true;
}

// Runs in the child, in the memory of the launcher: nothing may allocate or lock.
[[noreturn]] void become(const Image& image, const LauncherPipes& pipes, pid_t launcher,
                         volatile StartFailure& failure) {
  // The kernel ends the program should the launcher be killed; the fork server sees to the rest.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != launcher) ::_exit(127);
  ::setpgid(0, 0);
  struct sigaction standard {};
  standard.sa_handler = SIG_DFL;
  for (int number = 1; number < NSIG; ++number) ::sigaction(number, &standard, nullptr);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  // All three are above 2 (above_standard), so that none is overwritten before its use.
  ::dup2(pipes.in, 0);
  ::dup2(pipes.out, 1);
  ::dup2(pipes.err, 2);
  ::syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC);
  const auto fail = [&](StartStep step, int error_number) {
    failure.step = step;
    failure.error_number = error_number;
    failure.failed = true;
    ::_exit(127);
  };
  if (!set_limits(image.start)) fail(StartStep::limit, errno);
  if (!image.start.directory.empty() && ::chdir(image.start.directory.c_str()) != 0)
    fail(StartStep::directory, errno);
  int error_number = ENOENT;
  for (const char* candidate : image.candidates) {
    ::execve(candidate, image.argv.data(), image.envp.data());
    if (errno != ENOENT && errno != ENOTDIR) error_number = errno;
  }
  fail(StartStep::execute, error_number);
  ::_exit(127);
}

bool above_standard(int& fd) {
  if (fd > 2) return true;
  const int higher = ::fcntl(fd, F_DUPFD_CLOEXEC, 3);
  if (higher < 0) return false;
  ::close(fd);
  fd = higher;
  return true;
}

// ---- the launcher -------------------------------------------------------------------------------

class Launcher {
 public:
  Launcher(const LauncherPipes& pipes, pid_t fork_server)
      : pipes_(pipes), fork_server_(fork_server) {}

  int run() {
    ::setsid();
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
    ::prctl(PR_SET_PDEATHSIG, kParentDied);
    if (::getppid() != fork_server_) return kBrokenEnd;
    if (!open_signals() || !read_start()) return kBrokenEnd;
    if (!start()) return kCleanEnd;
    while (!core_.over()) turn();
    return kCleanEnd;
  }

 private:
  bool open_signals() {
    sigset_t wanted;
    sigemptyset(&wanted);
    for (const int number : {SIGCHLD, SIGTERM, kParentDied}) sigaddset(&wanted, number);
    signals_ = ::signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK);
    return signals_ >= 0;
  }

  // Waits for the node's first frame.
  bool read_start() {
    LaunchFrame frame;
    for (;;) {
      const auto state = reader_.next(frame);
      if (state == LaunchFrameReader::State::broken) return false;
      if (state == LaunchFrameReader::State::frame) break;
      pollfd watched[] = {{pipes_.node, POLLIN, 0}, {signals_, POLLIN, 0}};
      if (::poll(watched, 2, -1) < 0 && errno != EINTR) return false;
      if (watched[1].revents != 0) return false;  // nothing was started yet
      if (watched[0].revents != 0 && !receive()) return false;
    }
    auto* const start = std::get_if<StartFrame>(&frame);
    if (start == nullptr || start->arguments.empty()) return false;
    start_ = std::move(*start);
    return true;
  }

  bool start() {
    Image image{pointers(start_.arguments), pointers(start_.environment), {}, start_};
    for (const auto& candidate : start_.candidates) image.candidates.push_back(candidate.c_str());
    const pid_t self = ::getpid();
    volatile StartFailure failure;
    if (!above_standard(pipes_.in) || !above_standard(pipes_.out) || !above_standard(pipes_.err)) {
      failure.failed = true;
      failure.error_number = errno;
    } else {
      program_ = ::vfork();
      if (program_ == 0) become(image, pipes_, self, failure);
      if (program_ < 0) {
        failure.failed = true;
        failure.error_number = errno;
      }
    }
    for (const int fd : {pipes_.in, pipes_.out, pipes_.err}) ::close(fd);
    if (!failure.failed) return true;
    send(runtime::FailedFrame{failure.step, failure.error_number});
    if (program_ > 0) ::waitpid(program_, nullptr, 0);
    return false;
  }

  void turn() {
    pollfd watched[] = {{signals_, POLLIN, 0}, {pipes_.node, POLLIN, 0}};
    const nfds_t count = node_gone_ ? 1 : 2;
    int timeout_ms = -1;
    if (const auto at = core_.next_tick()) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(*at - Clock::now()).count();
      timeout_ms = static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000));
    }
    ::poll(watched, count, timeout_ms);
    if (watched[0].revents != 0) read_signals();
    if (count == 2 && watched[1].revents != 0) listen();
    apply(core_.tick(Clock::now()));
  }

  void read_signals() {
    signalfd_siginfo info{};
    while (::read(signals_, &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
      if (static_cast<int>(info.ssi_signo) == SIGCHLD) continue;
      orphaned_ = orphaned_ || static_cast<int>(info.ssi_signo) == kParentDied;
      end(start_.grace_ms);
    }
    reap();
  }

  void reap() {
    bool exited = false;
    for (;;) {
      int status = 0;
      rusage usage{};
      const pid_t pid = ::wait4(-1, &status, WNOHANG, &usage);
      if (pid < 0 && errno == EINTR) continue;
      if (pid > 0 && pid == program_) {
        exited = true;
        program_ = -1;
        keep_exit(status, usage);
        continue;
      }
      if (pid > 0) continue;
      const bool others = pid == 0;
      if (exited) apply(core_.exited(others));
      if (!others) apply(core_.all_gone());
      return;
    }
  }

  void keep_exit(int status, const rusage& usage) {
    const auto microseconds = [](const timeval& time) {
      return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000 +
             static_cast<std::uint64_t>(time.tv_usec);
    };
    if (WIFEXITED(status)) exit_.exit_code = WEXITSTATUS(status);
    if (WIFSIGNALED(status)) exit_.signal = WTERMSIG(status);
    exit_.user_us = microseconds(usage.ru_utime);
    exit_.system_us = microseconds(usage.ru_stime);
    exit_.max_resident_bytes = static_cast<std::uint64_t>(usage.ru_maxrss) << 10;
  }

  void listen() {
    LaunchFrame frame;
    const bool open = receive();
    for (;;) {
      const auto state = reader_.next(frame);
      const auto* const wanted = state == LaunchFrameReader::State::frame
                                     ? std::get_if<runtime::EndFrame>(&frame)
                                     : nullptr;
      if (state == LaunchFrameReader::State::incomplete) break;
      end(wanted != nullptr ? wanted->grace_ms : start_.grace_ms);
      if (wanted == nullptr) break;
    }
    if (open) return;
    node_gone_ = true;
    end(start_.grace_ms);
  }

  // False at the end of the stream.
  bool receive() {
    char buffer[16 << 10];
    const ssize_t size = ::recv(pipes_.node, buffer, sizeof buffer, 0);
    if (size < 0) return errno == EINTR || errno == EAGAIN;
    reader_.feed({buffer, static_cast<std::size_t>(size)});
    return size > 0;
  }

  void end(std::uint32_t grace_ms) {
    apply(core_.end(Clock::now(), std::chrono::milliseconds(grace_ms)));
  }

  void apply(const LaunchCore::Actions& actions) {
    if (actions.terminate) signal_all(SIGTERM);
    if (actions.kill) signal_all(SIGKILL);
    if (actions.report_exit) {
      exit_.alone = actions.report_gone;
      exit_.orphaned = orphaned_;
      send(exit_);
    }
    if (actions.report_gone && !exit_.alone) send(runtime::GoneFrame{});
  }

  void signal_all(int number) {
    const auto victims = descendants_of(::getpid());
    for (const ProcessId& victim : victims) {
      send_signal(victim, number);
      if (number == SIGTERM) send_signal(victim, SIGCONT);  // who is stopped cannot end
    }
    // Without /proc: at least its own group.
    if (victims.empty() && program_ > 0) ::kill(-program_, number);
  }

  // To a node that does not listen any more nothing needs to be said.
  void send(const LaunchFrame& frame) {
    const std::string bytes = runtime::encode(frame);
    (void)!::send(pipes_.node, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }

  LauncherPipes pipes_;
  const pid_t fork_server_;
  int signals_ = -1;
  pid_t program_ = -1;
  StartFrame start_;
  LaunchFrameReader reader_;
  LaunchCore core_;
  ExitedFrame exit_;
  bool orphaned_ = false;
  bool node_gone_ = false;
};

}  // namespace

int run_launcher(const LauncherPipes& pipes, pid_t fork_server) {
  return Launcher(pipes, fork_server).run();
}

}  // namespace symphony::launch
