#include "messages/result.hpp"

#include <capnp/schema.h>

namespace symphony {

std::string_view to_string(Errc code) noexcept {
  static const auto enumerants = capnp::Schema::from<Errc>().getEnumerants();
  const auto ordinal = static_cast<unsigned>(code);
  if (ordinal >= enumerants.size()) return "unknown";
  const auto name = enumerants[ordinal].getProto().getName();
  return {name.begin(), name.size()};
}

std::string to_string(const Error& error) {
  std::string text{to_string(error.code)};
  text.append(": ").append(error.message);
  if (!error.field.empty()) text.append(" (field ").append(error.field).append(")");
  return text;
}

}  // namespace symphony
