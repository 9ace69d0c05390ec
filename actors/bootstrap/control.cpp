#include "actors/bootstrap/control.hpp"

#include <chrono>
#include <utility>

#include "runtime/component/services.hpp"
#include "runtime/link/unix_socket.hpp"

namespace symphony::bootstrap {
namespace {

// For threads that read peers to end; they only hand messages on.
constexpr std::chrono::seconds kServerStopPatience{1};

}  // namespace

Control::Control(runtime::Host& host, ControlOptions options, runtime::Receiver& receiver)
    : ComponentOf(host), options_(std::move(options)), receiver_(receiver) {}

Control::~Control() = default;

// Listening is the last thing of all: whoever connects finds a node that is whole.
void Control::prepare(runtime::Step step) {
  const auto& clocks = host().services().clocks;
  auto listener = runtime::UnixListener::listen(options_.socket_path, clocks);
  if (!listener) return step.fail(listener.error());
  server_ = std::make_shared<runtime::LinkServer>(options_.link, receiver_, clocks);
  server_->listen(std::move(listener).value());
  host().set_state_line("listening at " + options_.socket_path);
  step.done();
}

void Control::stop(runtime::Step step) {
  if (server_ == nullptr) return step.done();
  host().run_blocking(
      [server = std::move(server_)] { return server->stop(kServerStopPatience); },
      [step = std::move(step)](Status status) mutable { step.finish(std::move(status)); });
}

void Control::peers(Call<protocol::Control::Peers> call) {
  const auto peers = server_->peers();
  call.reply([&](messages::ListPeersResponse::Builder out) {
    out.setEndpoint(options_.socket_path);
    auto rows = out.initPeers(static_cast<unsigned>(peers.size()));
    for (unsigned i = 0; i < peers.size(); ++i) {
      rows[i].setId(peers[i].id);
      rows[i].setName(peers[i].name);
      rows[i].setKind(peers[i].kind == runtime::PeerKind::node ? "node" : "client");
      rows[i].setPid(static_cast<std::uint32_t>(peers[i].credentials.pid));
      rows[i].setUid(peers[i].credentials.uid);
    }
  });
}

void Control::shutdown(Call<protocol::Control::Shutdown> call) {
  call.reply();
  options_.shut_down();
}

}  // namespace symphony::bootstrap
