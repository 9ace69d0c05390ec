// What comes in over a link, given to components: each peer is an actor to them, a ReplyBox that
// writes their answers back from the thread that answers.
#pragma once

#include <caf/actor_control_block.hpp>

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "runtime/component/registry.hpp"
#include "runtime/component/reply_box.hpp"
#include "runtime/component/services.hpp"
#include "runtime/link/server.hpp"
#include "runtime/time/at_most_every.hpp"

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
  void notice_refused(PeerId peer, std::string_view target, const Header& notice,
                      const Error& why) override;
  void not_let_in(const Error& why) override;

 private:
  // What was meant by a name that nobody has is looked for at most so often, since it takes all
  // names; the log is told of peers that were not let in as rarely.
  static constexpr std::chrono::milliseconds kSuggestEvery{500};
  static constexpr std::chrono::seconds kTellEvery{10};

  struct Peer;
  std::shared_ptr<Peer> find(PeerId peer);
  // Answers a request to a name that nobody has.
  void no_such_name(const NameEntry* entry, std::string_view target, const Header& request,
                    std::unique_ptr<Responder> responder);
  // Tells the component that the answer to one of the peer's requests is not wanted any more.
  void withdraw(Peer& peer, std::uint64_t id, const NameEntry& target);
  // Correlation 0: the peer is gone, and with it whatever the component keeps for it.
  void tell_cancelled(Peer& peer, std::uint64_t id, const NameEntry& target);

  caf::actor_system& system_;
  const Services& services_;
  AtMostEvery suggests_{kSuggestEvery};
  AtMostEvery tells_{kTellEvery};
  std::mutex mutex_;
  std::map<PeerId, std::shared_ptr<Peer>> peers_;
};

}  // namespace symphony::runtime
