// The launcher: one process between the node and one program.
//
// It is the session leader of all that the program starts, without a terminal, and its subreaper:
// whoever loses his parent becomes the launcher's child, so that nobody gets away, and it ends when
// the last of them has ended. What it does when is decided by LaunchCore (launch_core.hpp).
#pragma once

#include <sys/types.h>

namespace symphony::launch {

struct LauncherPipes {
  int in = -1;
  int out = -1;
  int err = -1;
  int node = -1;  // the stream to whoever asked; launch_frames.hpp says what is said on it
};

// Takes the place of whoever calls it: in a child of the fork server, with all signals blocked.
// Returns the exit code: kCleanEnd when nothing of the program is left.
int run_launcher(const LauncherPipes& pipes, pid_t fork_server);

inline constexpr int kCleanEnd = 0;
inline constexpr int kBrokenEnd = 1;

}  // namespace symphony::launch
