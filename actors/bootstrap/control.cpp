#include "actors/bootstrap/control.hpp"

#include <chrono>
#include <utility>

#include "runtime/component/services.hpp"
#include "runtime/link/unix_socket.hpp"

namespace symphony::bootstrap {
namespace {

// For threads that read peers to end; they only hand messages on.
constexpr std::chrono::seconds kServerStopPatience{1};
// How often a node that is to end by itself looks whether anybody is there.
constexpr std::chrono::milliseconds kLookEvery{50};
constexpr std::chrono::seconds kEngineTimeout{5};

}  // namespace

Control::Control(runtime::Host& host, ControlOptions options, runtime::Receiver& receiver)
    : ComponentOf(host), options_(std::move(options)), receiver_(receiver), engine_{host} {}

Control::~Control() = default;

// Listening is the last thing of all: whoever connects finds a node that is whole.
void Control::prepare(runtime::Step step) {
  const auto& clocks = host().services().clocks;
  host().run_blocking([path = options_.socket_path,
                       &clocks] { return runtime::UnixListener::listen(path, clocks); },
                      [this, &clocks, step = std::move(step)](auto listener) mutable {
                        if (!listener) return step.fail(listener.error());
                        server_ =
                            std::make_shared<runtime::LinkServer>(options_.link, receiver_, clocks);
                        auto listens = server_->listen(std::move(listener).value());
                        if (listens) host().set_state_line("listening at " + options_.socket_path);
                        step.finish(std::move(listens));
                      });
}

void Control::start(runtime::Step step) {
  if (options_.linger) {
    linger_.emplace(*options_.linger, host().services().clocks.mono());
    look_later();
  }
  step.done();
}

void Control::look_later() {
  host().after(kLookEvery, [this] { look(); });
}

void Control::look() {
  if (server_ == nullptr) return;
  if (server_->load().connections > 0) return judge(0);
  engine_.under_way()
      .within(kEngineTimeout)
      .then([this](Result<Msg<messages::UnderWayResponse>> answer) {
        judge(answer ? (*answer)->getRuns() : 1);  // who does not answer is at work
      });
}

void Control::judge(std::size_t runs) {
  if (server_ == nullptr) return;
  const auto load = server_->load();
  const auto now = host().services().clocks.mono();
  if (linger_->look(load.connections, load.connections_ever, runs, now) &&
      server_->close_if_deserted())
    return options_.shut_down();
  look_later();
}

void Control::make_way(Call<protocol::Control::MakeWay> call) {
  if (linger_) linger_->make_way();
  call.reply([&](auto out) { out.setEnds(linger_.has_value()); });
}

void Control::stop(runtime::Step step) {
  if (server_ == nullptr) return step.done();
  host().run_blocking(
      [server = std::move(server_)] { return server->stop(kServerStopPatience); },
      [step = std::move(step)](Status status) mutable { step.finish(std::move(status)); });
}

void Control::peers(Call<protocol::Control::Peers> call) {
  if (server_ == nullptr)
    return call.fail({Errc::UNAVAILABLE, "the node's door is closed", "", true});
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
