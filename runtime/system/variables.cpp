#include "runtime/system/variables.hpp"

#include <unistd.h>

#include <string_view>

namespace symphony::runtime {

std::map<std::string, std::string, std::less<>> process_variables() {
  std::map<std::string, std::string, std::less<>> variables;
  for (char** entry = ::environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    if (const auto equals = text.find('='); equals != std::string_view::npos)
      variables.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return variables;
}

}  // namespace symphony::runtime
