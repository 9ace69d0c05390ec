#include "runtime/system/read_stream.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "runtime/system/descriptor.hpp"
#include "runtime/system/fs.hpp"
#include "runtime/text/path_text.hpp"

namespace symphony::runtime {

Result<std::string> read_stream(const std::filesystem::path& path, std::size_t bytes_max) {
  const Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (!file.valid()) return system_error("open", path, errno);
  return read_stream(file.get(), path.native(), bytes_max);
}

Result<std::string> read_stream(int file_descriptor, const std::string& name,
                                std::size_t bytes_max) {
  std::string bytes;
  char chunk[64 * 1024];
  for (;;) {
    const ssize_t got = ::read(file_descriptor, chunk, sizeof chunk);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error("read", name, errno);
    if (got == 0) return bytes;
    if (bytes.size() + static_cast<std::size_t>(got) > bytes_max)
      return Error{Errc::RESOURCE_EXHAUSTED, display_path(name) + " holds more than the limit of " +
                                                 std::to_string(bytes_max) + " bytes"};
    bytes.append(chunk, static_cast<std::size_t>(got));
  }
}

}  // namespace symphony::runtime
