// Sends content of any length to the artifact store, in parts and with bounded memory.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "actors/bootstrap/cli/session.hpp"
#include "messages/artifacts.protocol.hpp"

namespace symphony::cli {

struct UploadTarget {
  std::string name = {};  // empty: content without a name
  std::string media_type = {};
};

// One content on its way. What is dropped before it was finished is aborted: nothing of it can be
// found. One thread; the session must outlive it. Errors: those of the store; cancelled: Ctrl-C.
class Upload {
 public:
  // `on_progress` is told how many bytes are durable.
  Upload(Session& session, UploadTarget target,
         std::function<void(std::uint64_t bytes)> on_progress);
  Upload(const Upload&) = delete;
  Upload& operator=(const Upload&) = delete;
  ~Upload();

  Status begin();
  // The most that one append takes. REQUIRES: begun.
  std::size_t part_bytes() const noexcept { return part_bytes_; }
  // What comes next; waits while several parts are under way.
  Status append(std::string_view part);
  Result<Msg<messages::FinishUploadResponse>> finish();

 private:
  Session& session_;
  const UploadTarget target_;
  const std::function<void(std::uint64_t bytes)> on_progress_;
  const Ref<protocol::Artifacts> artifacts_;
  Pipeline<protocol::Artifacts::Append> appends_;
  std::uint64_t id_ = 0;  // 0: not begun, or over
  std::size_t part_bytes_ = 0;
  std::uint64_t offset_ = 0;
};

// Fills the buffer as far as the file goes; how many bytes that were. For pipes and terminals: a
// Ctrl-C ends the wait (cancelled).
Result<std::size_t> read_full(Desk& desk, int file, std::string& buffer);

}  // namespace symphony::cli
