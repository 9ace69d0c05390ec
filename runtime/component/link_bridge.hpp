// What comes in over a link, given to components: each peer is an actor to them, a ReplyBox that
// writes their answers back from the thread that answers.
#pragma once

#include <caf/actor_control_block.hpp>

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "runtime/component/reply_box.hpp"
#include "runtime/component/services.hpp"
#include "runtime/link/server.hpp"

namespace caf {
class actor_system;
}

namespace symphony::runtime {

// Thread-safe. Must outlive the LinkServer it serves.
class LinkBridge final : public Receiver {
 public:
  LinkBridge(caf::actor_system& system, const Services& services);
  ~LinkBridge() override;

  void receive(PeerId peer, std::string_view target, Envelope request,
               std::unique_ptr<Responder> responder) override;
  void cancelled(PeerId peer, std::uint64_t correlation) override;
  void peer_connected(const PeerInfo& peer) override;
  void peer_lost(PeerId peer, const Error& why) override;

 private:
  struct Peer;
  std::shared_ptr<Peer> find(PeerId peer);
  // Tells the component that the answer to one of the peer's requests is not wanted any more.
  void withdraw(Peer& peer, std::uint64_t id, const std::string& target);

  caf::actor_system& system_;
  const Services& services_;
  std::mutex mutex_;
  std::map<PeerId, std::shared_ptr<Peer>> peers_;
};

}  // namespace symphony::runtime
