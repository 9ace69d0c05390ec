// `/foundation/telemetry`: what the runtime counts of every component, what the process takes of
// the machine, and the messages that found nobody.
#pragma once

#include <cstdint>
#include <string>

#include "messages/foundation.protocol.hpp"
#include "runtime/component/component.hpp"

namespace symphony::actors {

struct NodeIdentity {
  std::string name;
  std::string version;
  std::int64_t started_wall_ns = 0;  // Unix time
};

class Telemetry final : public runtime::ComponentOf<protocol::Telemetry> {
 public:
  static constexpr std::size_t kRowsMax = 2000;  // in one answer, which stays below 10 MiB so

  Telemetry(runtime::Host& host, NodeIdentity node) : ComponentOf(host), node_(std::move(node)) {}

  void list(Call<protocol::Telemetry::List> call) override;
  void dead_letters(Call<protocol::Telemetry::DeadLetters> call) override;

 private:
  const NodeIdentity node_;
};

}  // namespace symphony::actors
