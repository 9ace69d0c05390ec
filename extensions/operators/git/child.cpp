#include "extensions/operators/git/child.hpp"

#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <string_view>

#include "extensions/operators/file/io.hpp"
#include "extensions/operators/paths.hpp"
#include "runtime/system/no_broken_pipe.hpp"

namespace symphony::extensions::git {

namespace {

using Clock = std::chrono::steady_clock;

struct Pipe {
  runtime::Descriptor read;
  runtime::Descriptor write;
};

Result<Pipe> make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0)
    return Error{Errc::RESOURCE_EXHAUSTED, "cannot make a pipe: " + reason_of(errno)};
  return Pipe{runtime::Descriptor(ends[0]), runtime::Descriptor(ends[1])};
}

void set_nonblocking(int fd) { ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK); }

// Everything the child needs, made before the fork: between fork and exec nothing may allocate.
struct Image {
  std::vector<char*> argv;
  std::vector<char*> envp;
  std::vector<std::string> candidates;  // paths to try, from PATH
  const char* directory = nullptr;
};

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> list;
  list.reserve(texts.size() + 1);
  for (const auto& text : texts) list.push_back(const_cast<char*>(text.c_str()));
  list.push_back(nullptr);
  return list;
}

std::vector<std::string> program_candidates(const ChildCommand& command) {
  const std::string& program = command.arguments.front();
  if (program.find('/') != std::string::npos) return {program};
  std::string_view path = "/usr/local/bin:/usr/bin:/bin";
  for (const auto& variable : command.environment) {
    if (variable.starts_with("PATH=")) path = std::string_view(variable).substr(5);
  }
  std::vector<std::string> candidates;
  while (true) {
    const auto colon = path.find(':');
    const auto directory = path.substr(0, colon);
    candidates.push_back(join_path(directory.empty() ? "." : directory, program));
    if (colon == std::string_view::npos) break;
    path.remove_prefix(colon + 1);
  }
  return candidates;
}

// What the child says before exec replaces it: the step that failed and errno.
struct StartFailure {
  int step;  // 1: change directory, 2: execute
  int error;
};

// Runs in the child. Only async-signal-safe calls.
[[noreturn]] void become(const Image& image, int in, int out, int err, int report) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // also when this program is killed
  struct sigaction standard {};
  standard.sa_handler = SIG_DFL;
  for (int number = 1; number < NSIG; ++number) ::sigaction(number, &standard, nullptr);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);

  // The descriptors are above 2 (see above_standard), so that none is overwritten before its use.
  ::dup2(in, 0);
  ::dup2(out, 1);
  ::dup2(err, 2);
  if (::syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC) != 0) {
    for (int fd = 3; fd < 65536; ++fd) {
      if (fd != report) ::close(fd);
    }
  }
  StartFailure failure{.step = 1, .error = 0};
  if (image.directory && ::chdir(image.directory) != 0) {
    failure.error = errno;
  } else {
    failure = {.step = 2, .error = ENOENT};
    for (const auto& candidate : image.candidates) {
      ::execve(candidate.c_str(), image.argv.data(), image.envp.data());
      if (errno != ENOENT && errno != ENOTDIR) failure.error = errno;
    }
  }
  (void)!::write(report, &failure, sizeof failure);
  ::_exit(127);
}

Status above_standard(runtime::Descriptor& handle) {
  if (handle.get() > 2) return {};
  const int higher = ::fcntl(handle.get(), F_DUPFD_CLOEXEC, 3);
  if (higher < 0) return Error{Errc::RESOURCE_EXHAUSTED, "no descriptor: " + reason_of(errno)};
  handle = runtime::Descriptor(higher);
  return {};
}

// One output stream being read.
struct Stream {
  runtime::Descriptor fd;
  std::string* text;
  bool* truncated;
};

class Child {
 public:
  Child(const ChildCommand& command, const std::function<bool()>& cancelled)
      : command_(command), cancelled_(cancelled) {}

  ~Child() {
    if (pid_ > 0) {
      ::kill(-pid_, SIGKILL);
      reap();
    }
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  Status start() {
    auto input = make_pipe();
    if (!input) return input.error();
    auto output = make_pipe();
    if (!output) return output.error();
    auto error = make_pipe();
    if (!error) return error.error();
    auto report = make_pipe();
    if (!report) return report.error();
    for (runtime::Descriptor* handle :
         {&input->read, &output->write, &error->write, &report->write}) {
      if (auto moved = above_standard(*handle); !moved) return moved;
    }
    const Image image{
        .argv = pointers(command_.arguments),
        .envp = pointers(command_.environment),
        .candidates = program_candidates(command_),
        .directory = command_.directory.empty() ? nullptr : command_.directory.c_str()};
    started_ = Clock::now();
    // No signal handler of this process may run in the child.
    sigset_t all, before;
    sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_ = ::fork();
    if (pid_ == 0) {
      become(image, input->read.get(), output->write.get(), error->write.get(),
             report->write.get());
    }
    const int fork_error = errno;
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    if (pid_ < 0)
      return Error{Errc::RESOURCE_EXHAUSTED, "cannot fork: " + reason_of(fork_error), "", true};
    ::setpgid(pid_, pid_);  // whoever comes first; the group exists before anyone signals it
    input_ = std::move(input->write);
    set_nonblocking(input_.get());
    streams_ = {Stream{std::move(output->read), &outcome_.out, &outcome_.out_truncated},
                Stream{std::move(error->read), &outcome_.err, &outcome_.err_truncated}};
    for (const Stream& stream : streams_) set_nonblocking(stream.fd.get());
    report->write.reset();
    // Readable once the program has ended; without it (Linux before 5.3) polling finds out.
    end_ = runtime::Descriptor(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
    return wait_for_exec(report->read.get());
  }

  ChildOutcome finish() {
    const runtime::NoBrokenPipeSignal guard;
    feed();
    while (!done()) {
      wait_for_events();
      feed();
      for (Stream& stream : streams_) drain(stream);
      if (!exited_) look_whether_exited();
      press();
    }
    // Whoever is left of the group outlived the program that was asked for. Its leader is reaped
    // afterwards: until then its number cannot belong to another group.
    ::kill(-pid_, SIGKILL);
    reap();
    outcome_.duration =
        std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - started_);
    return std::move(outcome_);
  }

 private:
  Status wait_for_exec(int report) {
    StartFailure failure{};
    ssize_t got = 0;
    while ((got = ::read(report, &failure, sizeof failure)) < 0 && errno == EINTR) {
    }
    if (got != static_cast<ssize_t>(sizeof failure)) return {};
    reap();
    if (failure.step == 1) return system_error("enter", command_.directory, failure.error);
    return system_error("run", command_.arguments.front(), failure.error);
  }

  // Without children of its own on a stream, the end of output follows the end of the program. A
  // descendant that keeps a stream open gets the grace, too.
  bool done() const {
    if (!exited_) return false;
    const bool open = std::ranges::any_of(streams_, [](const auto& s) { return bool(s.fd); });
    return !open || Clock::now() >= *exited_ + command_.grace;
  }

  void feed() {
    while (input_) {
      const auto rest = std::string_view(command_.input).substr(fed_);
      if (rest.empty()) {
        input_.reset();
        return;
      }
      const ssize_t sent = ::write(input_.get(), rest.data(), rest.size());
      if (sent >= 0) {
        fed_ += static_cast<std::size_t>(sent);
      } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
        return;
      } else if (errno != EINTR) {
        input_.reset();  // it does not want more
      }
    }
  }

  void drain(Stream& stream) {
    std::array<char, 64 * 1024> buffer;
    // One buffer a turn: a stream that never ends must not keep the loop from the deadline.
    if (!stream.fd) return;
    const ssize_t got = ::read(stream.fd.get(), buffer.data(), buffer.size());
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) {
      stream.fd.reset();
      return;
    }
    const auto size = static_cast<std::size_t>(got);
    const std::size_t room = command_.max_output_bytes - stream.text->size();
    stream.text->append(buffer.data(), std::min(size, room));
    if (size > room) *stream.truncated = true;
  }

  void wait_for_events() {
    std::array<pollfd, 4> wanted{};
    nfds_t count = 0;
    if (input_) wanted[count++] = {.fd = input_.get(), .events = POLLOUT, .revents = 0};
    for (const Stream& stream : streams_) {
      if (stream.fd) wanted[count++] = {.fd = stream.fd.get(), .events = POLLIN, .revents = 0};
    }
    if (end_ && !exited_) wanted[count++] = {.fd = end_.get(), .events = POLLIN, .revents = 0};
    ::poll(wanted.data(), count, static_cast<int>(kChildPollInterval.count()));
  }

  // Ends the group once it is time to: politely, then not.
  void press() {
    if (exited_) return;
    const auto now = Clock::now();
    if (!asked_) {
      // The deadline first: a context whose time is up counts as cancelled, too.
      if (now >= command_.deadline) {
        outcome_.timed_out = true;
      } else if (cancelled_()) {
        outcome_.cancelled = true;
      } else {
        return;
      }
      asked_ = now;
      ::kill(-pid_, SIGTERM);
    } else if (now >= *asked_ + command_.grace || (command_.hurried && command_.hurried())) {
      ::kill(-pid_, SIGKILL);
    }
  }

  void look_whether_exited() {
    siginfo_t info{};
    if (::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
        info.si_pid == pid_)
      exited_ = Clock::now();
  }

  void reap() {
    int status = 0;
    pid_t got = 0;
    while ((got = ::waitpid(pid_, &status, 0)) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    if (got < 0) return;
    if (WIFEXITED(status)) outcome_.exit_code = WEXITSTATUS(status);
    if (WIFSIGNALED(status)) outcome_.signal = WTERMSIG(status);
  }

  const ChildCommand& command_;
  const std::function<bool()>& cancelled_;
  ChildOutcome outcome_;
  pid_t pid_ = -1;
  runtime::Descriptor input_;
  runtime::Descriptor end_;
  std::size_t fed_ = 0;
  std::array<Stream, 2> streams_{};
  Clock::time_point started_;
  std::optional<Clock::time_point> asked_;
  std::optional<Clock::time_point> exited_;
};

}  // namespace

Result<ChildOutcome> run_child(const ChildCommand& command,
                               const std::function<bool()>& cancelled) {
  SYMPHONY_ASSERT(!command.arguments.empty());
  Child child(command, cancelled);
  if (auto started = child.start(); !started) return started.error();
  return child.finish();
}

}  // namespace symphony::extensions::git
