#include "actors/bootstrap/cli/output.hpp"

#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <string_view>
#include <system_error>

#include "actors/bootstrap/cli/desk.hpp"

namespace symphony::cli {
namespace {

// Of the process, as standard output is.
struct Output {
  int held_back = -1;  // signalfd: readable only for signals that are blocked
  int error = 0;       // the first errno
};
Output output;

// Whatever was done is durable, and a run that ends with this command is cancelled by its node.
[[noreturn]] void leave(int signal) {
  constexpr std::string_view kText = "symphony: left, since nobody reads the output\n";
  pollfd err{STDERR_FILENO, POLLOUT, 0};
  if (::poll(&err, 1, 0) == 1) (void)!::write(STDERR_FILENO, kText.data(), kText.size());
  ::_exit(exit_code_of(signal));
}

// poll() does the waiting, so that a signal can end it: a pipe that polls as writable takes
// PIPE_BUF bytes at once.
ssize_t write_all(void*, const char* data, std::size_t size) {
  std::size_t done = 0;
  while (done < size && output.error == 0) {
    pollfd watched[] = {{STDOUT_FILENO, POLLOUT, 0}, {output.held_back, POLLIN, 0}};
    if (::poll(watched, 2, -1) < 0) continue;
    if (watched[0].revents == 0) {
      signalfd_siginfo info{};
      if (::read(output.held_back, &info, sizeof info) == sizeof info)
        leave(static_cast<int>(info.ssi_signo));
      continue;
    }
    const auto wrote =
        ::write(STDOUT_FILENO, data + done, std::min<std::size_t>(size - done, PIPE_BUF));
    if (wrote >= 0)
      done += static_cast<std::size_t>(wrote);
    else if (errno != EINTR && errno != EAGAIN)
      output.error = errno;
  }
  return static_cast<ssize_t>(done);
}

}  // namespace

void take_over_standard_output() {
  const auto signals = held_back_signals();
  output.held_back = ::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
  cookie_io_functions_t functions{};
  functions.write = write_all;
  std::FILE* stream = ::fopencookie(nullptr, "w", functions);
  SYMPHONY_ASSERT(output.held_back >= 0 && stream != nullptr);
  std::setvbuf(stream, nullptr, ::isatty(STDOUT_FILENO) != 0 ? _IOLBF : _IOFBF, 1 << 16);
  stdout = stream;
}

Status finish_standard_output() {
  std::fflush(stdout);
  if (output.error == 0) return {};
  return Error{Errc::RESOURCE_EXHAUSTED,
               "cannot write the output: " + std::generic_category().message(output.error)};
}

}  // namespace symphony::cli
