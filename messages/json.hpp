// JSON <-> message, for people, the command line and the gateway.
//
// | schema            | JSON                                                                     |
// |-------------------|--------------------------------------------------------------------------|
// | struct, group     | object; keys are field names                                             |
// | union             | the key of the active member, no other                                   |
// | integers          | out: a number, exact up to 64 bits; in: a number or a decimal string     |
// | Float32, Float64  | a number that reads back to the same bits, or "NaN", "Infinity",         |
// |                   | "-Infinity"; a NaN loses its payload                                     |
// | Text              | a string. In: what is not UTF-8 is refused; out: it becomes U+FFFD       |
// | Data              | a string, base64 (RFC 4648 section 4, with padding)                      |
// | enum              | the enumerant's name (out: a number where the schema has no name)        |
// | Void              | null                                                                     |
// | list              | array                                                                    |
// | AnyPointer,       | left out; refused                                                        |
// | interface         |                                                                          |
//
// In: a key that is missing, or null where text, data, a list or a struct belongs, leaves the
// field at its default. Out: every field, but text, data, lists and structs that are not there.
// So a message reads back as it was written.
//
// Errors are `invalidArgument` (`resourceExhausted` past a limit) with the path of the field
// ("nodes[3].use"): unknown and duplicate keys, wrong types, numbers out of range, bad base64,
// two members of one union. Thread-safe.
#pragma once

#include <capnp/dynamic.h>
#include <capnp/schema.h>

#include <cstddef>
#include <string>
#include <string_view>

#include "messages/result.hpp"
#include "messages/words.hpp"

namespace symphony {

struct JsonLimits {
  std::size_t max_text_bytes = 16u << 20;
  std::size_t max_message_bytes = 64u << 20;  // `[{},{}]` is larger as a message than as text
  std::size_t max_nesting = Words::kMaxNesting;
};

enum class JsonStyle { compact, pretty };

Result<Words> from_json(capnp::StructSchema schema, std::string_view text,
                        const JsonLimits& limits = {});

std::string to_json(capnp::DynamicStruct::Reader reader, JsonStyle style = JsonStyle::compact);
// REQUIRES: the words are valid for `schema`.
std::string to_json(const Words& words, capnp::StructSchema schema,
                    JsonStyle style = JsonStyle::compact);

}  // namespace symphony
