// What the operating system says, as Errors. Thread-safe: pure.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "messages/result.hpp"

namespace symphony::runtime {

// The code that fits an errno: what a caller can do about it, not where it came from.
Errc errc_of(int error_number) noexcept;

// "Permission denied": the reason alone.
std::string reason_of(int error_number);

// "cannot <what> <path>: <reason>" with the code that fits. An empty path is left out.
Error system_error(std::string_view what, const std::filesystem::path& path, int error_number);

}  // namespace symphony::runtime
