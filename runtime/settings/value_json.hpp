// Marked values to and from JSON.
#pragma once

#include "messages/json_value.hpp"
#include "messages/result.hpp"
#include "runtime/settings/value.hpp"

namespace symphony::runtime {

// Keys come out sorted. Numbers that JSON cannot write (inf, nan) become null.
Json to_json(const Value& value);

// Every value gets `mark`. Integers beyond 64 bits (signed) are Errc::INVALID_ARGUMENT.
// Recursive: `json` must not be nested deeper than its source was checked to be.
Result<Value> to_value(const Json& json, const SourceMark& mark);

}  // namespace symphony::runtime
