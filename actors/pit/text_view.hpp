// Text of a message as the standard library's views, and back. Nothing is copied.
#pragma once

#include <capnp/blob.h>

#include <string_view>

namespace symphony::actors {

inline std::string_view view(capnp::Text::Reader text) { return {text.begin(), text.size()}; }
inline std::string_view view(capnp::Data::Reader data) {
  return {reinterpret_cast<const char*>(data.begin()), data.size()};
}
inline capnp::Data::Reader as_data(std::string_view bytes) {
  return {reinterpret_cast<const capnp::byte*>(bytes.data()), bytes.size()};
}

// Sets a text field from a view, which need not end in NUL: `set_text(text, [&](auto size) {
// return out.initName(size); })`.
template <class Init>
void set_text(std::string_view text, Init&& init) {
  if (text.empty()) return;
  auto target = init(static_cast<unsigned>(text.size()));
  text.copy(target.begin(), text.size());
}

}  // namespace symphony::actors
