#include "runtime/system/process_usage.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <fstream>
#include <string>

namespace symphony::runtime {
namespace {

std::uint64_t nanoseconds(const timeval& time) {
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 +
         static_cast<std::uint64_t>(time.tv_usec) * 1'000;
}

}  // namespace

Result<ProcessUsage> read_process_usage() {
  ProcessUsage usage;
  std::uint64_t total_pages = 0;
  std::uint64_t resident_pages = 0;
  std::ifstream statm{"/proc/self/statm"};
  if (!(statm >> total_pages >> resident_pages))
    return Error{Errc::UNAVAILABLE, "/proc/self/statm cannot be read"};
  usage.resident_bytes = resident_pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));

  std::ifstream status{"/proc/self/status"};
  for (std::string line; usage.threads == 0 && std::getline(status, line);)
    if (line.starts_with("Threads:"))
      usage.threads = static_cast<std::uint32_t>(std::stoul(line.substr(8)));
  if (usage.threads == 0) return Error{Errc::UNAVAILABLE, "/proc/self/status names no threads"};

  rusage used{};
  SYMPHONY_ASSERT(::getrusage(RUSAGE_SELF, &used) == 0);
  usage.cpu_ns = nanoseconds(used.ru_utime) + nanoseconds(used.ru_stime);
  return usage;
}

}  // namespace symphony::runtime
