// Writing to a pipe whose reader has gone must give EPIPE, not end this process. SIGPIPE is blocked
// for the thread while this lives; what was raised meanwhile is taken away. For one thread.
#pragma once

#include <csignal>
#include <ctime>

namespace symphony::runtime {

class NoBrokenPipeSignal {
 public:
  NoBrokenPipeSignal() {
    sigemptyset(&broken_pipe_);
    sigaddset(&broken_pipe_, SIGPIPE);
    ::pthread_sigmask(SIG_BLOCK, &broken_pipe_, &before_);
  }
  ~NoBrokenPipeSignal() {
    const timespec at_once{};
    while (::sigtimedwait(&broken_pipe_, nullptr, &at_once) > 0) {
    }
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  NoBrokenPipeSignal(const NoBrokenPipeSignal&) = delete;
  NoBrokenPipeSignal& operator=(const NoBrokenPipeSignal&) = delete;

 private:
  sigset_t broken_pipe_;
  sigset_t before_;
};

}  // namespace symphony::runtime
