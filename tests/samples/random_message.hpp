// Messages of any struct, filled at random, and a way to read all there is in one.
#pragma once

#include <capnp/dynamic.h>

#include <cstdint>
#include <random>

#include "messages/words.hpp"

namespace symphony::testing {

using Random = std::mt19937_64;

// Fields are left out now and then; `depth` bounds nesting. Text is UTF-8, floats are finite.
Words random_message(capnp::StructSchema schema, Random& random, int depth = 4);

// Touches every field that a reader can reach; returns how many values there were.
// Throws what capnp throws where the message is not sound.
std::uint64_t read_everything(capnp::DynamicStruct::Reader reader);
std::uint64_t read_everything(const Words& words, capnp::StructSchema schema);

}  // namespace symphony::testing
