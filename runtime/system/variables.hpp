// The environment of this process, as a value.
#pragma once

#include <functional>
#include <map>
#include <string>

namespace symphony::runtime {

// Every variable by its name; the first where one stands twice. REQUIRES: nobody changes the
// environment at the same time.
std::map<std::string, std::string, std::less<>> process_variables();

}  // namespace symphony::runtime
