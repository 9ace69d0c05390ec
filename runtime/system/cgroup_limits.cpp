#include "runtime/system/cgroup_limits.hpp"

#include <sched.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace symphony::runtime {
namespace {

namespace fs = std::filesystem;

// Version 1 says "no limit" with the largest page-aligned number there is.
constexpr std::uint64_t kV1MemoryUnlimited = 1ULL << 62;

std::string first_line(const fs::path& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

template <class T>
std::optional<T> number(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

template <class T>
void tighten(std::optional<T>& limit, std::optional<T> other) {
  if (other && (!limit || *other < *limit)) limit = other;
}

std::optional<double> quota(std::optional<double> quota_us, std::optional<double> period_us) {
  if (!quota_us || !period_us || *quota_us <= 0 || *period_us <= 0) return std::nullopt;
  return *quota_us / *period_us;
}

// "max 100000" or "150000 100000".
std::optional<double> v2_cpus(const fs::path& group) {
  const std::string line = first_line(group / "cpu.max");
  const auto space = line.find(' ');
  if (space == std::string::npos) return std::nullopt;
  const std::string_view text = line;
  return quota(number<double>(text.substr(0, space)), number<double>(text.substr(space + 1)));
}

std::optional<double> v1_cpus(const fs::path& group) {
  return quota(number<double>(first_line(group / "cpu.cfs_quota_us")),
               number<double>(first_line(group / "cpu.cfs_period_us")));
}

std::optional<std::uint64_t> v1_memory(const fs::path& group) {
  const auto limit = number<std::uint64_t>(first_line(group / "memory.limit_in_bytes"));
  return limit && *limit < kV1MemoryUnlimited ? limit : std::nullopt;
}

// The group's directory and those above it. Inside a container the path may not exist below the
// mount: its own group is mounted as the root then, which is always among them.
std::vector<fs::path> upwards(const fs::path& mount, std::string_view group) {
  std::vector<fs::path> levels;
  fs::path at = fs::path(group).relative_path();
  while (!at.empty()) {
    levels.push_back(mount / at);
    at = at.parent_path();
  }
  levels.push_back(mount);
  return levels;
}

// A line of /proc/self/cgroup: "4:memory:/path" or, for version 2, "0::/path".
struct Membership {
  std::string controllers;
  std::string group;
};
std::optional<Membership> parse_membership(std::string_view line) {
  const auto first = line.find(':');
  if (first == std::string_view::npos) return std::nullopt;
  const auto second = line.find(':', first + 1);
  if (second == std::string_view::npos) return std::nullopt;
  return Membership{std::string(line.substr(first + 1, second - first - 1)),
                    std::string(line.substr(second + 1))};
}

bool lists(std::string_view controllers, std::string_view name) {
  while (!controllers.empty()) {
    const auto comma = std::min(controllers.find(','), controllers.size());
    if (controllers.substr(0, comma) == name) return true;
    controllers.remove_prefix(std::min(comma + 1, controllers.size()));
  }
  return false;
}

}  // namespace

CgroupLimits read_cgroup_limits(const fs::path& root) {
  const fs::path mounts = root / "sys/fs/cgroup";
  CgroupLimits limits;
  std::ifstream memberships(root / "proc/self/cgroup");
  for (std::string line; std::getline(memberships, line);) {
    const auto membership = parse_membership(line);
    if (!membership) continue;
    if (membership->controllers.empty()) {
      std::error_code none;
      const bool hybrid = fs::exists(mounts / "unified", none);
      for (const auto& group : upwards(hybrid ? mounts / "unified" : mounts, membership->group)) {
        tighten(limits.cpus, v2_cpus(group));
        tighten(limits.memory_bytes, number<std::uint64_t>(first_line(group / "memory.max")));
      }
    }
    if (lists(membership->controllers, "cpu"))
      for (const char* mount : {"cpu", "cpu,cpuacct"})
        for (const auto& group : upwards(mounts / mount, membership->group))
          tighten(limits.cpus, v1_cpus(group));
    if (lists(membership->controllers, "memory"))
      for (const auto& group : upwards(mounts / "memory", membership->group))
        tighten(limits.memory_bytes, v1_memory(group));
  }
  return limits;
}

std::uint64_t read_memory_total_bytes(const fs::path& root) {
  std::ifstream file(root / "proc/meminfo");
  std::string key;
  std::uint64_t kib = 0;
  while (file >> key >> kib) {
    if (key == "MemTotal:") return kib * 1024;
    file.ignore(1000, '\n');
  }
  return 0;
}

unsigned read_processors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof set, &set) == 0)
    return static_cast<unsigned>(std::max(1, CPU_COUNT(&set)));
  return std::max(1u, std::thread::hardware_concurrency());
}

MachineLimits effective_limits(unsigned processors, const CgroupLimits& cgroup,
                               std::uint64_t memory_total_bytes) {
  MachineLimits limits{static_cast<double>(processors), memory_total_bytes};
  if (cgroup.cpus) limits.cpus = std::min(limits.cpus, *cgroup.cpus);
  if (cgroup.memory_bytes && (memory_total_bytes == 0 || *cgroup.memory_bytes < memory_total_bytes))
    limits.memory_bytes = *cgroup.memory_bytes;
  return limits;
}

MachineLimits read_machine_limits() {
  return effective_limits(read_processors(), read_cgroup_limits(), read_memory_total_bytes());
}

}  // namespace symphony::runtime
