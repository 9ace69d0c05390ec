// The JSON value used everywhere: keys sorted, so that equal values have equal text.
#pragma once

#include <nlohmann/json.hpp>

namespace symphony {

using Json = nlohmann::json;

}  // namespace symphony
