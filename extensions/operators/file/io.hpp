// Describing files for operators. Thread-safe.
#pragma once

#include <sys/stat.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "messages/result.hpp"
#include "runtime/system/descriptor.hpp"
#include "runtime/system/fs.hpp"

namespace symphony::extensions {

using runtime::FilePrefix;
using runtime::read_prefix;
using runtime::reason_of;
using runtime::system_error;

// A zero byte in the first 8000 bytes, as git decides.
bool looks_binary(std::string_view content) noexcept;

// "file", "directory", "symlink", "fifo", "socket", "device".
std::string_view file_type(mode_t mode) noexcept;
// Permission bits as "0644".
std::string mode_text(mode_t mode);

// Standard base64 with padding.
std::string to_base64(std::string_view bytes);
Result<std::string> from_base64(std::string_view text);

}  // namespace symphony::extensions
