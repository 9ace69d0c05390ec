// Telling the service manager how the node is (sd_notify(3)), when there is one.
#pragma once

#include <string_view>

namespace symphony::bootstrap {

// Sends `state` ("READY=1", "STOPPING=1") to $NOTIFY_SOCKET; does nothing where it is not set.
// Failures are nobody's business but the service manager's.
void notify_systemd(std::string_view state) noexcept;

}  // namespace symphony::bootstrap
