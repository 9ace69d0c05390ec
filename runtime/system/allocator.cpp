#include "runtime/system/allocator.hpp"

#include <malloc.h>

#include <algorithm>
#include <thread>

namespace symphony::runtime {

void bound_allocator() {
#ifdef __GLIBC__
  const std::size_t cores = std::thread::hardware_concurrency();
  ::mallopt(M_ARENA_MAX, static_cast<int>(std::max(cores, kArenasMin)));
  ::mallopt(M_MMAP_THRESHOLD, static_cast<int>(kMappedBlockBytes));
  ::mallopt(M_TRIM_THRESHOLD, static_cast<int>(kKeptBytesMax));
#endif
}

}  // namespace symphony::runtime
