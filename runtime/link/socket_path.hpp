// Where a socket lies whose path may be too long for one.
#pragma once

#include <string>

namespace symphony::runtime {

// `wanted`, or where the kernel takes no path of that length (108 bytes with the zero at its end) a
// short one in /tmp/symphony-<uid>, the same whenever it is asked for: both ends derive it. Pure.
std::string short_socket_path(const std::string& wanted, unsigned uid);

}  // namespace symphony::runtime
