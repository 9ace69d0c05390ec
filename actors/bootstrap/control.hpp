// `/control`: the node's endpoint, a Unix socket that speaks the link's frames.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "actors/bootstrap/linger.hpp"
#include "messages/control.protocol.hpp"
#include "messages/orchestration.protocol.hpp"
#include "runtime/component/component.hpp"
#include "runtime/component/link_bridge.hpp"
#include "runtime/link/options.hpp"
#include "runtime/link/server.hpp"

namespace symphony::bootstrap {

struct ControlOptions {
  std::string socket_path;
  runtime::LinkOptions link;
  std::function<void()> shut_down;  // any thread
  // How long the node stays after its last client and its last run; nothing: until it is told.
  std::optional<std::chrono::milliseconds> linger = {};
};

class Control final : public runtime::ComponentOf<protocol::Control> {
 public:
  // `receiver` must outlive it.
  Control(runtime::Host& host, ControlOptions options, runtime::Receiver& receiver);
  ~Control() override;

  void prepare(runtime::Step step) override;
  void start(runtime::Step step) override;
  void stop(runtime::Step step) override;

  void peers(Call<protocol::Control::Peers> call) override;
  void shutdown(Call<protocol::Control::Shutdown> call) override;
  void make_way(Call<protocol::Control::MakeWay> call) override;

 private:
  void look_later();
  void look();
  void judge(std::size_t runs);

  ControlOptions options_;
  runtime::Receiver& receiver_;
  std::shared_ptr<runtime::LinkServer> server_;
  const Ref<protocol::Engine> engine_;
  std::optional<Linger> linger_;
};

}  // namespace symphony::bootstrap
