// A process that has run out: of descriptors, of threads.
#pragma once

#include <fcntl.h>
#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <vector>

#include "messages/result.hpp"

namespace symphony::test {

// Leaves this process `left` more file descriptors, as long as it lives.
class FewDescriptors {
 public:
  explicit FewDescriptors(std::size_t left) {
    SYMPHONY_ASSERT(::getrlimit(RLIMIT_NOFILE, &before_) == 0);
    auto limit = before_;
    limit.rlim_cur = kSoftLimit;
    SYMPHONY_ASSERT(::setrlimit(RLIMIT_NOFILE, &limit) == 0);
    for (int fd; (fd = ::open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0;) taken_.push_back(fd);
    SYMPHONY_ASSERT(errno == EMFILE);
    give(left);
  }
  FewDescriptors(const FewDescriptors&) = delete;
  FewDescriptors& operator=(const FewDescriptors&) = delete;
  ~FewDescriptors() {
    give(taken_.size());
    ::setrlimit(RLIMIT_NOFILE, &before_);
  }
  void give(std::size_t more) {
    for (; more > 0 && !taken_.empty(); --more, taken_.pop_back()) ::close(taken_.back());
  }

 private:
  static constexpr rlim_t kSoftLimit = 256;

  rlimit before_{};
  std::vector<int> taken_;
};

// No thread can be started as long as this lives: each would be given a stack larger than memory.
class NoThreads {
 public:
  NoThreads() {
    pthread_attr_t attributes;
    ::pthread_getattr_default_np(&attributes);
    ::pthread_attr_getstacksize(&attributes, &before_bytes_);
    ::pthread_attr_destroy(&attributes);
    set(kStackBytes);
  }
  NoThreads(const NoThreads&) = delete;
  NoThreads& operator=(const NoThreads&) = delete;
  ~NoThreads() { set(before_bytes_); }

 private:
  static constexpr std::size_t kStackBytes = std::size_t{1} << 46;

  static void set(std::size_t stack_bytes) {
    pthread_attr_t attributes;
    ::pthread_attr_init(&attributes);
    ::pthread_attr_setstacksize(&attributes, stack_bytes);
    SYMPHONY_ASSERT(::pthread_setattr_default_np(&attributes) == 0);
    ::pthread_attr_destroy(&attributes);
  }

  std::size_t before_bytes_ = 0;
};

}  // namespace symphony::test
