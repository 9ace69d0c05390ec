#include "runtime/link/server.hpp"

#include <algorithm>
#include <atomic>
#include <utility>

#include "runtime/link/handshake.hpp"
#include "runtime/system/thread.hpp"

namespace symphony::runtime {
namespace {

// How long the thread of a lost peer may take to end before it is looked at again.
constexpr Nanos kReapPatience = std::chrono::milliseconds{100};
constexpr Nanos kDestroyPatience = std::chrono::seconds{10};

}  // namespace

class LinkServer::Peer final : public ConnectionEvents {
 public:
  Peer(LinkServer& server, PeerId id) : server_(server) { info_.id = id; }

  Status begin(std::unique_ptr<ByteStream> stream) {
    connection_ = std::make_shared<Connection>(Connection::Role::accepting, std::move(stream),
                                               server_.options_, server_.gate_, server_.clocks_,
                                               *this, server_.inbound_, info_.id);
    return connection_->start();
  }
  Connection& connection() { return *connection_; }
  [[nodiscard]] bool open() const { return state_ == State::open; }
  [[nodiscard]] bool gone() const { return state_ == State::gone; }
  // REQUIRES: open().
  [[nodiscard]] const PeerInfo& info() const { return info_; }

  void opened(Connection& connection) override {
    info_.name = connection.peer().name;
    info_.kind = connection.peer().kind;
    info_.credentials = connection.peer().credentials;
    state_ = State::open;
    server_.receiver_.peer_connected(info_);
  }
  void requested(Connection&, std::string_view target, Envelope request,
                 std::unique_ptr<Responder> responder) override {
    request.header.sender = info_.id;
    server_.receiver_.receive(info_.id, target, std::move(request), std::move(responder));
  }
  void refused(Connection&, std::string_view target, const Header& notice,
               const Error& why) override {
    server_.receiver_.notice_refused(info_.id, target, notice, why);
  }
  void cancelled(Connection&, std::uint64_t correlation) override {
    server_.receiver_.cancelled(info_.id, correlation);
  }
  void lost(Connection&, const Error& why) override {
    if (state_.exchange(State::gone) == State::open) server_.receiver_.peer_lost(info_.id, why);
    const std::lock_guard lock{server_.mutex_};
    if (!server_.accepting_.empty()) server_.accepting_.front().listener->interrupt();
  }

 private:
  enum class State : std::uint8_t { greeting, open, gone };

  LinkServer& server_;
  PeerInfo info_;
  std::shared_ptr<Connection> connection_;
  std::atomic<State> state_{State::greeting};
};

LinkServer::LinkServer(LinkOptions options, Receiver& receiver, const Clocks& clocks)
    : options_(std::move(options)),
      receiver_(receiver),
      clocks_(clocks),
      inbound_(std::make_shared<InboundBudget>(options_.max_inbound_bytes_in_all)) {}

LinkServer::~LinkServer() { SYMPHONY_ASSERT(stop(kDestroyPatience).ok()); }

Status LinkServer::listen(std::unique_ptr<Listener> listener) {
  const std::lock_guard lock{mutex_};
  if (stopping_) return Error{Errc::UNAVAILABLE, "the server of the link is stopping"};
  auto thread = start_thread("lets peers in", [this, &from = *listener] { accept_from(from); });
  if (!thread) return thread.error();
  accepting_.push_back({std::move(listener), std::move(*thread)});
  return {};
}

void LinkServer::accept_from(Listener& listener) {
  for (;;) {
    auto stream = listener.accept();
    {
      const std::lock_guard lock{mutex_};
      if (stopping_) return;
    }
    if (!stream) {
      receiver_.not_let_in(stream.error());
      if (!stream.error().retryable) return;
    } else if (*stream == nullptr) {
      reap();
    } else {
      adopt(std::move(*stream));
    }
  }
}

void LinkServer::adopt(std::unique_ptr<ByteStream> stream) {
  reap();
  std::unique_ptr<Peer> peer;  // ends after the lock is released
  Status begun;
  {
    const std::lock_guard lock{mutex_};
    if (stopping_) return;
    if (peers_.size() >= options_.max_peers) return refuse_full(*stream);
    const auto id = next_id_++;
    peer = std::make_unique<Peer>(*this, id);
    begun = peer->begin(std::move(stream));
    if (begun) peers_.emplace(id, std::move(peer));
  }
  if (begun) return;
  SYMPHONY_ASSERT(peer->connection().retire(kReapPatience));  // has no thread that could be in it
  receiver_.not_let_in(begun.error());
}

void LinkServer::refuse_full(ByteStream& stream) const {
  const auto bytes = encode_greeting({kLinkVersion, static_cast<std::uint8_t>(Verdict::refused),
                                      "the node has " + std::to_string(options_.max_peers) +
                                          " connections already; link.max_peers allows no more"});
  const iovec piece{const_cast<std::byte*>(bytes.data()), bytes.size()};
  stream.write({&piece, 1});
  stream.shutdown();
}

void LinkServer::reap() {
  const std::lock_guard reaping{reaping_};
  std::vector<std::unique_ptr<Peer>> gone;
  {
    const std::lock_guard lock{mutex_};
    if (stopping_) return;  // stop() does it
    for (auto it = peers_.begin(); it != peers_.end();) {
      if (it->second->gone()) {
        gone.push_back(std::move(it->second));
        it = peers_.erase(it);
      } else {
        ++it;
      }
    }
  }
  for (auto& peer : gone) {
    if (peer->connection().retire(kReapPatience)) continue;
    const std::lock_guard lock{mutex_};
    const auto id = peer->info().id;
    peers_.emplace(id, std::move(peer));
  }
}

std::vector<PeerInfo> LinkServer::peers() const {
  const std::lock_guard lock{mutex_};
  std::vector<PeerInfo> out;
  for (const auto& [id, peer] : peers_)
    if (peer->open()) out.push_back(peer->info());
  return out;
}

LinkServer::Load LinkServer::load() const {
  const std::lock_guard lock{mutex_};
  Load load{0, next_id_ - 1};
  for (const auto& [id, peer] : peers_) load.connections += peer->gone() ? 0 : 1;
  return load;
}

bool LinkServer::close_if_deserted() {
  const std::lock_guard lock{mutex_};
  for (const auto& [id, peer] : peers_)
    if (!peer->gone()) return false;
  stopping_ = true;
  return true;
}

Status LinkServer::stop(Nanos patience) {
  std::vector<Accepting> accepting;
  {
    const std::lock_guard lock{mutex_};
    stopping_ = true;
    accepting.swap(accepting_);
  }
  for (auto& one : accepting) {
    one.listener->interrupt();
    one.thread.join();
  }
  accepting.clear();

  // Nobody adds or removes peers any more: `stopping_` is set, and nobody is reaping.
  const std::lock_guard reaping{reaping_};
  for (auto& [id, peer] : peers_)
    peer->connection().close(Error{Errc::UNAVAILABLE, "the node is stopping"});
  const auto by = std::chrono::steady_clock::now() + patience;
  bool all = true;
  for (auto it = peers_.begin(); it != peers_.end();) {
    const auto left = std::max(Nanos{0}, Nanos{by - std::chrono::steady_clock::now()});
    if (it->second->connection().retire(left)) {
      const std::lock_guard lock{mutex_};
      it = peers_.erase(it);
    } else {
      all = false;
      ++it;
    }
  }
  if (all) return {};
  return Error{Errc::DEADLINE_EXCEEDED,
               "a handler of the link did not return in time: end the process"};
}

}  // namespace symphony::runtime
