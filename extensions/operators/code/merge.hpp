// Adds up what code.scan found in batches of files. Pure; the order of batches does not matter.
#pragma once

#include <cstddef>

#include "messages/json_value.hpp"
#include "messages/result.hpp"

namespace symphony::extensions::code {

// The result of code.merge. Errc::INVALID_ARGUMENT when a batch is none of code.scan's.
Result<Json> merge_scans(const Json& batches, std::size_t max_todos);

}  // namespace symphony::extensions::code
