// The schema lock: what every message looks like, as a stable text that is committed.
//
// One section a struct, enum or interface, sorted by name: a header at the start of a line
// ("struct CreateRequest @0x…"), then one indented line a member with its ordinal, type, place and
// default. Protocols evolve compatibly when every line of the committed lock is still there in the
// same section; new lines and new sections are free.
#pragma once

#include <string>
#include <vector>

#include "messages/codegen/catalogue.hpp"

namespace symphony::codegen {

std::string schema_lock(const Catalogue& catalogue);

// What of `committed` no longer holds in `current`, a sentence each; empty: compatible.
std::vector<std::string> lock_breaches(const std::string& committed, const std::string& current);

}  // namespace symphony::codegen
