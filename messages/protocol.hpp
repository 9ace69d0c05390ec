// What is known of every protocol at run time: for describe, JSON, documentation and the link.
#pragma once

#include <capnp/schema.h>

#include <cstdint>
#include <span>
#include <string_view>

namespace symphony {

struct MethodInfo {
  std::string_view name;  // as in the schema: "create"
  std::uint16_t ordinal = 0;
  bool oneway = false;
  bool idempotent = false;
  bool cursor = false;
  bool internal = false;  // refused when it comes over a link
  bool urgent = false;    // goes before what waits already
  capnp::StructSchema (*request)() = nullptr;
  capnp::StructSchema (*response)() = nullptr;  // null when oneway
};

struct ProtocolInfo {
  std::uint64_t id = 0;
  std::string_view title;               // "Dag"
  std::string_view name;                // "/pit/dag", or empty
  std::string_view doc;                 // the schema's comment on the interface
  std::span<const MethodInfo> methods;  // by ordinal, without gaps

  const MethodInfo* find(std::string_view method_name) const noexcept {
    for (const auto& method : methods)
      if (method.name == method_name) return &method;
    return nullptr;
  }
};

// Generated: every protocol, sorted by title. Thread-safe.
std::span<const ProtocolInfo* const> all_protocols() noexcept;
const ProtocolInfo* find_protocol(std::uint64_t id) noexcept;
// Null when there is no such protocol, or no such method in it.
inline const MethodInfo* find_method(std::uint64_t protocol, std::uint16_t method) noexcept {
  const auto* info = find_protocol(protocol);
  return info == nullptr || method >= info->methods.size() ? nullptr : &info->methods[method];
}

}  // namespace symphony
