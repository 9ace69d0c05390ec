#include "runtime/system/allocator.hpp"

#include <malloc.h>

#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <vector>

#include "runtime/system/process_usage.hpp"
#include "tests/support/sanitized.hpp"

namespace symphony::runtime {
namespace {

std::uint64_t resident_bytes() { return read_process_usage().value().resident_bytes; }

TEST(Allocator, GivesLargeBlocksBackThoughSmallOnesBetweenThemStay) {
  if (test::kSanitized) GTEST_SKIP() << "sanitizers have allocators of their own";
  constexpr std::size_t kBlockBytes = kMappedBlockBytes + 4096;
  constexpr std::size_t kBlocks = 100;
  bound_allocator();
  ::malloc_trim(0);  // what tests before this one let go of is not found again
  const auto before = resident_bytes();
  std::vector<std::unique_ptr<char[]>> small;
  // Once a large block was freed, an allocator that is not bound takes such blocks from its arena.
  for (int round = 0; round < 3; ++round) {
    std::vector<std::unique_ptr<char[]>> large;
    for (std::size_t i = 0; i < kBlocks; ++i) {
      large.push_back(std::make_unique_for_overwrite<char[]>(kBlockBytes));
      std::memset(large.back().get(), 1, kBlockBytes);
      small.push_back(std::make_unique<char[]>(64));
    }
    EXPECT_GT(resident_bytes(), before + kBlocks * kBlockBytes / 2);
  }
  EXPECT_LT(resident_bytes(), before + kBlocks * kBlockBytes / 4);
}

}  // namespace
}  // namespace symphony::runtime
