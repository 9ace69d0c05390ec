#include "tests/samples/damage.hpp"

#include <cstring>

namespace symphony::testing {

RawWords::RawWords(const Words& words) {
  for (const auto& segment : words.segments()) {
    sizes.push_back(static_cast<std::uint32_t>(segment.size()));
    for (const auto& word : segment) {
      std::uint64_t value;
      std::memcpy(&value, &word, sizeof value);
      content.push_back(value);
    }
  }
}

Words RawWords::words() const {
  auto buffer = kj::heapArray<capnp::word>(content.size());
  if (!content.empty())
    std::memcpy(buffer.asBytes().begin(), content.data(), content.size() * sizeof(capnp::word));
  return Words::adopt(kj::mv(buffer), sizes);
}

}  // namespace symphony::testing
