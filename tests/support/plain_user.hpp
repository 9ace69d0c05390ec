// Runs a piece of a test as somebody who is not root: to root, permissions are no obstacle.
#pragma once

#include <grp.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>

namespace symphony::test {

inline constexpr uid_t kPlainUser = 65534;  // nobody

// What `check` says, run in a child that has given up root (or just here, if this is not root).
// `check` must not touch threads of the parent. Hand over what it needs with chown(kPlainUser).
inline bool as_plain_user(const std::function<bool()>& check) {
  if (::geteuid() != 0) return check();
  const pid_t child = ::fork();
  if (child == 0) {
    const bool given_up = ::setgroups(0, nullptr) == 0 &&
                          ::setresgid(kPlainUser, kPlainUser, kPlainUser) == 0 &&
                          ::setresuid(kPlainUser, kPlainUser, kPlainUser) == 0;
    ::_exit(given_up && check() ? 0 : 1);
  }
  int status = 0;
  return child > 0 && ::waitpid(child, &status, 0) == child && WIFEXITED(status) &&
         WEXITSTATUS(status) == 0;
}

}  // namespace symphony::test
