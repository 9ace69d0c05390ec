// Whether a sanitizer watches, whose runtime has an allocator of its own, keeps freed memory for a
// while, and looks at objects through a pipe.
#pragma once

namespace symphony::test {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif

}  // namespace symphony::test
