// A directory of a test's own, gone with the test. In memory where the system has such a place:
// tests that commit a thousand times need not wait for a disk. Tests about disks ask for one.
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "messages/result.hpp"

namespace symphony::test {

class TempDir {
 public:
  enum class On { memory, disk };

  explicit TempDir(On where = On::memory) {
    const std::filesystem::path memory = "/dev/shm";
    const bool in_memory = where == On::memory && ::access(memory.c_str(), W_OK) == 0;
    const auto base = in_memory ? memory : std::filesystem::temp_directory_path();
    auto pattern = (base / "symphony-test-XXXXXX").native();
    SYMPHONY_ASSERT(::mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace symphony::test
