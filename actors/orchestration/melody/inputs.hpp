// What a run is given: every input of a melody with a value of its type.
// Pure and thread-safe.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "actors/orchestration/melody/melody.hpp"
#include "runtime/settings/problems.hpp"

namespace symphony::actors {

inline constexpr std::size_t kMaxInputValueBytes = std::size_t{16} << 20;

// From the command line: "name=value" each. Text and paths are taken as they are, list, object
// and any as JSON (any falls back to text). All problems come back at once: no "=", an unknown
// name with a suggestion, given twice, not of the type, required and missing. The result is an
// object with every input; an optional one without a default is null.
runtime::Checked<Json> bind_inputs(std::span<const MelodyInput> inputs,
                                   std::span<const std::string> assignments);

// The same from a JSON object, whose values have their types already.
runtime::Checked<Json> bind_input_object(std::span<const MelodyInput> inputs, const Json& given);

}  // namespace symphony::actors
