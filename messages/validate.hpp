// Deep validation of words from another process, before anyone reads them.
//
// What passes can be read through generated accessors or DynamicStruct, measured and copied, and
// nothing of that ever throws. Checked against the schema:
//   - every pointer, of known and of unknown fields and of inactive union members, lies in bounds;
//     no capabilities; no word is reached twice, so that no message is larger than it looks
//   - Text ends in NUL and is UTF-8; lists have the element size the schema says
//   - enums and union discriminants have values the schema knows, unless a newer peer's are allowed
//   - depth, size, number of segments and number of elements without size stay within the limits
// Lists of upgraded elements (a list of numbers where the schema has a list of structs) are
// refused: the schema lock forbids that evolution. Of an AnyPointer only the structure is checked:
// reading it as some type may still throw.
// Encoding: capnproto.org/encoding.html. Time: linear in pointers and text; Data costs nothing.
#pragma once

#include <capnp/schema.h>

#include <cstddef>
#include <cstdint>

#include "messages/result.hpp"
#include "messages/shapes.hpp"
#include "messages/words.hpp"

namespace symphony {

// What the schema lock lets a newer peer send: an enum's value, or a member of a union, that this
// program does not know. Who allows it meets values without a name and unions of which no known
// member is active; what such a member holds is checked as an AnyPointer is.
enum class NewerValues : std::uint8_t { refuse, allow };

struct ValidationLimits {
  std::size_t max_bytes = 16u << 20;
  // Pointers on the way from the root; at most Words::kMaxNesting, which readers insist on.
  int max_nesting = Words::kMaxNesting;
  std::uint32_t max_segments = 1024;
  // Elements that take no space (of a List(Void), of a list of empty structs), in all.
  std::uint64_t max_empty_elements = 65'536;
  NewerValues newer = NewerValues::refuse;
};

// Knows a set of structs. Immutable, thread-safe; make one and keep it.
class Validator {
 public:
  // Of every request and response of all_protocols(), and of Error.
  static Validator of_protocols();

  Validator() = default;
  // Makes a struct, and all it reaches, known.
  void add(capnp::StructSchema schema) { shapes_.add(schema); }

  // With a sentence and the path of the field ("methods[3].name"): `unimplemented` for what only a
  // newer peer knows, else `invalidArgument`.
  // REQUIRES: `schema` is known, or reached from one that is.
  Status validate(const Words& words, capnp::StructSchema schema,
                  const ValidationLimits& limits = {}) const;

 private:
  Shapes shapes_;
};

// The same without a Validator at hand: looks through the schema each time.
Status validate(const Words& words, capnp::StructSchema schema,
                const ValidationLimits& limits = {});

}  // namespace symphony
