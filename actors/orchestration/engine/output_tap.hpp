// Hands what one attempt of a node prints to /pit/output. Costs nothing where nothing is printed.
//
// Blocking; one thread at a time. A run does not fail for want of its output: what cannot be handed
// on is missing there, which its offsets show.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "messages/output.protocol.hpp"
#include "messages/ref.hpp"

namespace symphony::actors {

class OutputTap {
 public:
  static constexpr std::chrono::seconds kAskTimeout{10};

  OutputTap(WaitingAsker& asker, std::string run, std::string node, std::int64_t started_ns)
      : asker_(asker), run_(std::move(run)), node_(std::move(node)), started_ns_(started_ns) {}

  void print(messages::PrintedOn stream, std::string_view bytes) {
    if (bytes.empty()) return;
    std::uint64_t& printed = printed_[static_cast<unsigned>(stream)];
    send(stream, printed, bytes, false);
    printed += bytes.size();
  }
  // The attempt has ended. What it printed is kept before what is journalled from here on.
  void finish() {
    if (output_) send(messages::PrintedOn::OUT, printed_[0], {}, true);
  }

 private:
  void send(messages::PrintedOn stream, std::uint64_t offset, std::string_view bytes, bool last) {
    if (!output_) output_.emplace(asker_);
    (void)output_
        ->append([&](messages::AppendOutputRequest::Builder request) {
          request.setRun(run_);
          request.setNode(node_);
          request.setStartedNs(started_ns_);
          request.setStream(stream);
          request.setOffset(offset);
          request.setData({reinterpret_cast<const kj::byte*>(bytes.data()), bytes.size()});
          request.setLast(last);
        })
        .within(kAskTimeout)
        .get();
  }

  WaitingAsker& asker_;
  const std::string run_;
  const std::string node_;
  const std::int64_t started_ns_;
  std::uint64_t printed_[2] = {0, 0};
  std::optional<WaitingRef<protocol::NodeOutput>> output_;
};

}  // namespace symphony::actors
