// The texts that the generator writes, each a pure function of the catalogue.
#pragma once

#include <string>

#include "messages/codegen/catalogue.hpp"

namespace symphony::codegen {

// <stem>.protocol.hpp: protocol tags, method tags, handler tables and Refs of one file.
std::string protocol_header(const Catalogue& catalogue, const File& file,
                            const std::string& component_header);
// <stem>.protocol.cpp: dispatch and run-time information.
std::string protocol_source(const Catalogue& catalogue, const File& file);
// protocols.cpp: all_protocols() and find_protocol().
std::string protocols_source(const Catalogue& catalogue);
// protocols.md: the page that documents every protocol and the structs they use.
std::string protocols_page(const Catalogue& catalogue);

// "messages/dag.capnp" -> "messages/dag.protocol.hpp".
std::string header_path(const std::string& schema_path);
std::string source_path(const std::string& schema_path);

}  // namespace symphony::codegen
