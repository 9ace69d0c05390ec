// Says at run time which mutant is on: SYMPHONY_MUTANT holds its number. With
// SYMPHONY_MUTANTS_REACHED set to a file, writes there the numbers of those that are asked for.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>

inline constexpr unsigned kSymphonyMutantsMax = 8192;

namespace symphony_mutants {

inline unsigned number_from_environment() {
  const char* text = std::getenv("SYMPHONY_MUTANT");
  return text == nullptr ? 0 : static_cast<unsigned>(std::atoi(text));
}

inline const unsigned chosen = number_from_environment();
inline const char* const reached_path = std::getenv("SYMPHONY_MUTANTS_REACHED");
inline std::atomic<bool> reached[kSymphonyMutantsMax];

inline void note(unsigned number) noexcept {
  if (reached[number].exchange(true)) return;
  const int file = ::open(reached_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (file < 0) return;
  char line[16];
  const int size = std::snprintf(line, sizeof line, "%u\n", number);
  if (::write(file, line, static_cast<std::size_t>(size)) != size) std::abort();
  ::close(file);
}

}  // namespace symphony_mutants

inline bool symphony_mutant(unsigned number) noexcept {
  if (symphony_mutants::reached_path != nullptr) [[unlikely]]
    symphony_mutants::note(number);
  return number == symphony_mutants::chosen;
}
