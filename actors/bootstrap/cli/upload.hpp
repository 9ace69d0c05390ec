// Sends content of any length to the artifact store, in parts and with bounded memory.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "actors/bootstrap/cli/session.hpp"
#include "messages/artifacts.protocol.hpp"

namespace symphony::cli {

struct UploadTarget {
  std::string name = {};  // empty: content without a name
  std::string media_type = {};
};

// Reads `file` to its end; `on_progress` is told what the store has taken. cancelled: Ctrl-C.
Result<Msg<messages::FinishUploadResponse>> upload(
    Session& session, int file, const UploadTarget& target,
    const std::function<void(std::uint64_t bytes)>& on_progress);

// Fills the buffer as far as the file goes; how many bytes that were. cancelled: Ctrl-C.
Result<std::size_t> read_full(Desk& desk, int file, std::string& buffer);

}  // namespace symphony::cli
