#include "runtime/system/process_usage.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <future>
#include <thread>
#include <vector>

namespace symphony::runtime {
namespace {

TEST(ProcessUsage, CountsMemoryThatIsTouched) {
  constexpr std::size_t kTaken = 64 << 20;
  const auto before = read_process_usage();
  ASSERT_TRUE(before.ok()) << to_string(before.error());
  std::vector<char> memory(kTaken);
  std::memset(memory.data(), 1, memory.size());
  EXPECT_GE(read_process_usage()->resident_bytes + (4 << 20), before->resident_bytes + kTaken);
  EXPECT_EQ(memory[kTaken / 2], 1);
}

TEST(ProcessUsage, CountsThreads) {
  std::promise<void> release;
  const std::shared_future<void> done = release.get_future().share();
  const auto wait = [done] { done.wait(); };
  std::thread first{wait};  // with it a sanitizer may start one of its own
  const auto before = read_process_usage();
  ASSERT_TRUE(before.ok()) << to_string(before.error());
  std::thread second{wait};
  EXPECT_EQ(read_process_usage()->threads, before->threads + 1);
  release.set_value();
  first.join();
  second.join();
}

TEST(ProcessUsage, CpuTimeGrowsWithWork) {
  const auto before = read_process_usage()->cpu_ns;
  while (read_process_usage()->cpu_ns < before + 1'000'000) {
  }
  SUCCEED();
}

}  // namespace
}  // namespace symphony::runtime
