// The processes below one, and signals to them.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <set>
#include <vector>

namespace symphony::launch {

struct ProcessId {
  pid_t pid = 0;
  std::uint64_t start = 0;  // in clock ticks after boot; tells it from a later one of that number
};

// All that live and descend from `root`, but not through any of `spared`. Whoever moves meanwhile
// may be missed: look again until there is nobody. Empty without /proc.
std::vector<ProcessId> descendants_of(pid_t root, const std::set<pid_t>& spared = {});

// Does nothing when the process has ended meanwhile.
void send_signal(const ProcessId& process, int number);

}  // namespace symphony::launch
