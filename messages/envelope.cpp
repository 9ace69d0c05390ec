#include "messages/envelope.hpp"

#include <capnp/schema.h>

#include <string>

#include "messages/utf8.hpp"

namespace symphony {

Error to_error(messages::Error::Reader reader) {
  Error error{reader.getCode(), reader.getMessage().cStr(), reader.getField().cStr(),
              reader.getRetryable()};
  const auto code = static_cast<unsigned>(error.code);
  if (code < capnp::Schema::from<Errc>().getEnumerants().size()) return error;
  error.code = Errc::INTERNAL;
  error.message += " (error code " + std::to_string(code) + " of a newer release)";
  return error;
}

void write_error(messages::Error::Builder builder, const Error& error) {
  builder.setCode(error.code);
  builder.setMessage(valid_text(error.message));
  builder.setField(valid_text(error.field));
  builder.setRetryable(error.retryable);
}

Envelope make_failure(const Header& request, const Error& error) {
  Envelope failure;
  failure.header = request;
  failure.header.kind = Kind::failure;
  failure.words = Words::build<messages::Error>(
      [&](messages::Error::Builder builder) { write_error(builder, error); });
  return failure;
}

Error read_failure(const Envelope& failure) {
  SYMPHONY_ASSERT(failure.header.kind == Kind::failure);
  const Msg<messages::Error> message{failure.words};
  return to_error(*message);
}

}  // namespace symphony
