// `/control`: the node's door, a Unix socket that speaks the link's frames.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "messages/control.protocol.hpp"
#include "runtime/component/component.hpp"
#include "runtime/component/link_bridge.hpp"
#include "runtime/link/options.hpp"
#include "runtime/link/server.hpp"

namespace symphony::bootstrap {

struct ControlOptions {
  std::string socket_path;
  runtime::LinkOptions link;
  std::function<void()> shut_down;  // any thread
};

class Control final : public runtime::ComponentOf<protocol::Control> {
 public:
  // `receiver` must outlive it.
  Control(runtime::Host& host, ControlOptions options, runtime::Receiver& receiver);
  ~Control() override;

  void prepare(runtime::Step step) override;
  void stop(runtime::Step step) override;

  void peers(Call<protocol::Control::Peers> call) override;
  void shutdown(Call<protocol::Control::Shutdown> call) override;

 private:
  ControlOptions options_;
  runtime::Receiver& receiver_;
  std::shared_ptr<runtime::LinkServer> server_;
};

}  // namespace symphony::bootstrap
