// How much of the machine is ours: processors and memory after affinity and control groups.
//
// Control groups limit at every level, so the tightest from our own group up to the root counts.
// Understood are version 2 (cpu.max, memory.max), version 1 (cpu.cfs_quota_us / cpu.cfs_period_us,
// memory.limit_in_bytes) and both at once (hybrid, with version 2 under "unified").
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

namespace symphony::runtime {

struct CgroupLimits {
  std::optional<double> cpus;  // processors' worth of time; nothing: no limit
  std::optional<std::uint64_t> memory_bytes;
};

// Reads `root`/proc/self/cgroup and `root`/sys/fs/cgroup. What is missing or unreadable limits
// nothing.
CgroupLimits read_cgroup_limits(const std::filesystem::path& root = "/");

// `root`/proc/meminfo, MemTotal; 0 when it cannot be read.
std::uint64_t read_memory_total_bytes(const std::filesystem::path& root = "/");

// Logical processors that this process may run on, at least 1.
unsigned read_processors();

struct MachineLimits {
  double cpus = 1;                 // effective: what may run at a time; can be below 1
  std::uint64_t memory_bytes = 0;  // effective
};
// Pure.
MachineLimits effective_limits(unsigned processors, const CgroupLimits& cgroup,
                               std::uint64_t memory_total_bytes);
// Of this process.
MachineLimits read_machine_limits();

}  // namespace symphony::runtime
