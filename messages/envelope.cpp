#include "messages/envelope.hpp"

namespace symphony {

Error to_error(messages::Error::Reader reader) {
  return Error{reader.getCode(), reader.getMessage().cStr(), reader.getField().cStr(),
               reader.getRetryable()};
}

void write_error(messages::Error::Builder builder, const Error& error) {
  builder.setCode(error.code);
  builder.setMessage(error.message);
  builder.setField(error.field);
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
