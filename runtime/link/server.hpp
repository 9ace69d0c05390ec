// The end of the link that is connected to: the control endpoint of a node.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "messages/call.hpp"
#include "messages/envelope.hpp"
#include "messages/result.hpp"
#include "runtime/link/connection.hpp"
#include "runtime/link/gate.hpp"
#include "runtime/link/options.hpp"
#include "runtime/link/transport.hpp"

namespace symphony::runtime {

// Names one connection of a server. Never 0, never given twice.
using PeerId = std::uint64_t;

struct PeerInfo {
  PeerId id = 0;
  std::string name;  // as it calls itself
  PeerKind kind = PeerKind::client;
  Credentials credentials;
};

// What a server does with what its peers send. Called on the thread that reads the peer: must not
// block, and for different peers at the same time. For one peer the order is peer_connected,
// receive and cancelled, peer_lost.
class Receiver {
 public:
  virtual ~Receiver() = default;
  // A request (or notice: no responder) for the component named `target`, which may be nobody's
  // name. It has passed the gate: a known, public method with valid words. In its header: the
  // deadline is absolute or kNoDeadline, the sender is the peer, the correlation the peer's.
  // The responder may be used on any thread, at any later time; it writes from there.
  virtual void receive(PeerId peer, std::string_view target, Envelope request,
                       std::unique_ptr<Responder> responder) = 0;
  // The peer no longer wants the answer to its request with this correlation.
  virtual void cancelled(PeerId peer, std::uint64_t correlation) = 0;
  virtual void peer_connected(const PeerInfo& peer) = 0;
  virtual void peer_lost(PeerId peer, const Error& why) = 0;
  // A notice did not pass the gate.
  virtual void notice_refused(PeerId /*peer*/, std::string_view /*target*/,
                              const Header& /*notice*/, const Error& /*why*/) {}
  // Somebody was not let in, for want of descriptors, threads or memory. When this may pass by
  // itself (`retryable`), others are let in as soon as it has; else nobody is any more.
  virtual void not_let_in(const Error& /*why*/) {}
};

// Thread-safe.
class LinkServer {
 public:
  // Receiver and clocks must outlive the server.
  LinkServer(LinkOptions options, Receiver& receiver, const Clocks& clocks);
  // Stops, and insists: a receiver that does not return then is a bug.
  ~LinkServer();

  // Accepts from this listener, on a thread of its own, until stop(). resourceExhausted: there is
  // no thread for it.
  Status listen(std::unique_ptr<Listener> listener);
  // Takes one connected stream as if it were accepted; for streams in memory.
  void adopt(std::unique_ptr<ByteStream> stream);

  // Peers that have said who they are.
  [[nodiscard]] std::vector<PeerInfo> peers() const;

  // Of requests and notices of all peers that are not done with.
  [[nodiscard]] std::size_t held_bytes() const { return inbound_->held_bytes(); }
  struct Load {
    std::size_t connections = 0;  // those in their greetings included
    std::uint64_t connections_ever = 0;
  };
  [[nodiscard]] Load load() const;
  // Accepts no more if nobody is connected: whoever comes now is turned away without a greeting.
  // False: somebody is, and nothing happened.
  [[nodiscard]] bool close_if_deserted();

  // Accepts no more, tells the peers, closes all connections, and waits for all threads.
  // deadlineExceeded: a receiver did not return within `patience`; the process should end without
  // destroying this. May be called again.
  Status stop(Nanos patience);

 private:
  class Peer;
  struct Accepting {
    std::unique_ptr<Listener> listener;
    std::thread thread;
  };

  void accept_from(Listener& listener);
  void reap();
  void refuse_full(ByteStream& stream) const;

  const LinkOptions options_;
  Receiver& receiver_;
  const Clocks& clocks_;
  const Gate gate_;
  const std::shared_ptr<InboundBudget> inbound_;

  std::mutex reaping_;  // held while peers are retired; before mutex_
  mutable std::mutex mutex_;
  bool stopping_ = false;
  PeerId next_id_ = 1;
  std::map<PeerId, std::unique_ptr<Peer>> peers_;
  std::vector<Accepting> accepting_;
};

}  // namespace symphony::runtime
