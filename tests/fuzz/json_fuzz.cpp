// Any text: refused with an error, or a valid message that is written and read back unchanged.
#include <string_view>

#include "messages/json.hpp"
#include "messages/validate.hpp"
#include "tests/samples/samples.capnp.h"

using namespace symphony;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const capnp::StructSchema schema = capnp::Schema::from<samples::Everything>();
  const auto words = from_json(schema, {reinterpret_cast<const char*>(data), size});
  if (!words) return 0;
  SYMPHONY_ASSERT(validate(*words, schema).ok());
  const auto text = to_json(*words, schema, JsonStyle::pretty);
  const auto again = from_json(schema, text);
  SYMPHONY_ASSERT(again.ok());
  SYMPHONY_ASSERT(to_json(*again, schema, JsonStyle::pretty) == text);
  return 0;
}
