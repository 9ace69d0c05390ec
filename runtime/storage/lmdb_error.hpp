// Codes of LMDB and the operating system as Errors. Thread-safe: pure.
#pragma once

#include <string_view>

#include "messages/result.hpp"

namespace symphony::runtime {

// `doing` completes "cannot …"; `where` is the path concerned, empty when unknown.
Error lmdb_error(int code, std::string_view doing, std::string_view where);

}  // namespace symphony::runtime
