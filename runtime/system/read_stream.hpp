// Reading whatever a person names as a file: regular ones, pipes, FIFOs, /dev/fd/N, terminals.
#pragma once

#include <filesystem>
#include <string>

#include "messages/result.hpp"

namespace symphony::runtime {

// All bytes until the end. Waits for a writer, and for as long as that writes. resourceExhausted:
// more than `bytes_max`; invalidArgument: a directory; else as the system says.
Result<std::string> read_stream(const std::filesystem::path& path, std::size_t bytes_max);

// The same of an open descriptor, which stays open; `name` is for errors.
Result<std::string> read_stream(int file_descriptor, const std::string& name,
                                std::size_t bytes_max);

}  // namespace symphony::runtime
