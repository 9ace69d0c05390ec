#include "runtime/link/socket_path.hpp"

#include <sys/un.h>

#include <cstdint>
#include <cstdio>

namespace symphony::runtime {

std::string short_socket_path(const std::string& wanted, unsigned uid) {
  if (wanted.size() < sizeof(sockaddr_un::sun_path)) return wanted;
  // FNV-1a, 64 bits: that two long paths of one user meet is not to be expected, and would be
  // noticed, since the greeting of a node tells its name.
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : wanted) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  char name[32];
  std::snprintf(name, sizeof name, "/%016llx.sock", static_cast<unsigned long long>(hash));
  return "/tmp/symphony-" + std::to_string(uid) + name;
}

}  // namespace symphony::runtime
