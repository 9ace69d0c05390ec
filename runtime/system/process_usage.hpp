// What this process takes of the machine. Linux. Thread-safe.
#pragma once

#include <cstdint>

#include "messages/result.hpp"

namespace symphony::runtime {

struct ProcessUsage {
  std::uint64_t resident_bytes = 0;
  std::uint64_t cpu_ns = 0;  // user and system time of all threads since the process began
  std::uint32_t threads = 0;
};

// Reads /proc/self (takes some 20 us, never waits). Fails with unavailable without /proc.
Result<ProcessUsage> read_process_usage();

}  // namespace symphony::runtime
