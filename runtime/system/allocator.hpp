// How much freed memory the allocator of this process may keep for itself.
//
// glibc gives threads arenas of their own, up to eight a core, and each of them keeps what was
// freed in it; and once a block of some megabytes was freed, blocks of that size no longer go back
// to the system either. A process whose threads pass large messages to each other so keeps several
// times what it uses: a report on a tree of 145 MB held 500 to 625 MB, of which 180 were in use at
// most, and holds 230 to 290 with these limits, in less time.
#pragma once

#include <cstddef>

namespace symphony::runtime {

inline constexpr std::size_t kArenasMin = 2;  // or as many as there are cores
// Blocks from this size on are mapped, and given back when they are freed.
inline constexpr std::size_t kMappedBlockBytes = std::size_t{512} << 10;
// Free memory at the end of an arena beyond this is given back.
inline constexpr std::size_t kKeptBytesMax = std::size_t{8} << 20;

// For the process; to be called by its entry point, before there are threads. Does nothing where
// the allocator is not glibc's.
void bound_allocator();

}  // namespace symphony::runtime
