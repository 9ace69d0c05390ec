#include "runtime/link/gate.hpp"

#include <cstdio>
#include <string>

namespace symphony::runtime {
namespace {

std::string hex(std::uint64_t value) {
  char text[19];
  std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(value));
  return text;
}

const MethodInfo* find_method(const ProtocolInfo* protocol, std::uint16_t method) {
  if (protocol == nullptr || method >= protocol->methods.size()) return nullptr;
  return &protocol->methods[method];
}

std::string full_name(const ProtocolInfo& protocol, const MethodInfo& method) {
  return std::string{protocol.title} + "." + std::string{method.name};
}

}  // namespace

Gate::Gate() : validator_(Validator::of_protocols()) {}

Status Gate::check_words(const Words& words, capnp::StructSchema schema, NewerValues newer,
                         Errc code, const char* what) const {
  // No words at all read as a struct in which nothing is set.
  if (words.empty()) return {};
  ValidationLimits limits;
  limits.max_bytes = words.size_bytes();  // the frame's limit has been applied
  limits.max_segments = kMaxSegments;
  limits.newer = newer;
  auto valid = validator_.validate(words, schema, limits);
  if (valid) return {};
  if (valid.error().code == Errc::UNIMPLEMENTED) code = Errc::UNIMPLEMENTED;
  return Error{code, std::string{what} + " is not valid: " + valid.error().message,
               valid.error().field};
}

Status Gate::check_request(const FrameHeader& header, const Words& words) const {
  const auto* protocol = find_protocol(header.protocol);
  if (protocol == nullptr)
    return Error{Errc::UNIMPLEMENTED, "this node knows no protocol " + hex(header.protocol) +
                                          ": is it the same release of symphony?"};
  const auto* method = find_method(protocol, header.method);
  if (method == nullptr)
    return Error{Errc::UNIMPLEMENTED, "the protocol " + std::string{protocol->title} +
                                          " has no method " + std::to_string(header.method) +
                                          " on this node: is it the same release of symphony?"};
  if (method->internal)
    return Error{Errc::PERMISSION_DENIED,
                 full_name(*protocol, *method) + " is for the component's supervisor only"};
  if (method->oneway != (header.kind == Kind::notice))
    return Error{Errc::INVALID_ARGUMENT,
                 full_name(*protocol, *method) +
                     (method->oneway ? " gives no answer: tell it" : " has an answer: ask it")};
  return check_words(words, method->request(), NewerValues::refuse, Errc::INVALID_ARGUMENT,
                     "the request");
}

Status Gate::check_response(std::uint64_t protocol, std::uint16_t method,
                            const Words& words) const {
  const auto* known = find_method(find_protocol(protocol), method);
  if (known == nullptr || known->response == nullptr)
    return Error{Errc::DATA_CORRUPT, "an answer came to a method that has none"};
  return check_words(words, known->response(), NewerValues::allow, Errc::DATA_CORRUPT,
                     "the answer");
}

Status Gate::check_failure(const Words& words) const {
  return check_words(words, capnp::Schema::from<messages::Error>(), NewerValues::allow,
                     Errc::DATA_CORRUPT, "the peer's error");
}

}  // namespace symphony::runtime
