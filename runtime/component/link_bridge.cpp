#include "runtime/component/link_bridge.hpp"

#include <caf/actor_config.hpp>
#include <caf/actor_system.hpp>
#include <caf/make_actor.hpp>

#include <functional>
#include <set>
#include <utility>
#include <vector>

#include "runtime/blocking/blocking.hpp"
#include "runtime/component/caf_types.hpp"
#include "runtime/component/fences.hpp"
#include "runtime/component/registry.hpp"
#include "runtime/ids/random.hpp"
#include "runtime/log/log.hpp"
#include "runtime/text/suggest.hpp"

namespace symphony::runtime {

struct LinkBridge::Peer {
  caf::strong_actor_ptr actor;
  ReplyBox* box = nullptr;
  // Requests without an answer: the peer's correlation, and what it became here.
  struct Open {
    std::uint64_t id = 0;
    std::shared_ptr<NameEntry> target;
  };
  std::mutex mutex;
  std::unordered_map<std::uint64_t, Open> open;
  std::set<std::string, std::less<>> asked;  // the living that it ever turned to

  ~Peer() {
    if (box != nullptr) box->kill_proxy(nullptr, caf::exit_reason::user_shutdown);
  }
};

namespace {
constexpr std::uint64_t kEverything = 0;  // in place of a correlation
}

LinkBridge::LinkBridge(caf::actor_system& system, const Services& services)
    : system_(system), services_(services) {}

LinkBridge::~LinkBridge() = default;

std::shared_ptr<LinkBridge::Peer> LinkBridge::find(PeerId peer) {
  const std::lock_guard lock(mutex_);
  const auto found = peers_.find(peer);
  return found == peers_.end() ? nullptr : found->second;
}

void LinkBridge::peer_connected(const PeerInfo& info) {
  auto peer = std::make_shared<Peer>();
  caf::actor_config config;
  const auto box = caf::make_actor<ReplyBox, caf::actor>(system_.next_actor_id(), system_.node(),
                                                         &system_, config);
  peer->actor = caf::actor_cast<caf::strong_actor_ptr>(box);
  peer->box = static_cast<ReplyBox*>(caf::actor_cast<caf::abstract_actor*>(box));
  services_.fences.tell(caf::weak_actor_ptr{peer->actor.get()});
  const std::lock_guard lock(mutex_);
  peers_.emplace(info.id, std::move(peer));
}

void LinkBridge::peer_lost(PeerId id, const Error&) {
  std::shared_ptr<Peer> peer;
  {
    const std::lock_guard lock(mutex_);
    auto node = peers_.extract(id);
    if (node.empty()) return;
    peer = std::move(node.mapped());
  }
  std::unordered_map<std::uint64_t, Peer::Open> open;
  std::set<std::string, std::less<>> asked;
  {
    const std::lock_guard lock(peer->mutex);
    open.swap(peer->open);
    asked.swap(peer->asked);
  }
  for (const auto& [correlation, request] : open) withdraw(*peer, request.id, *request.target);
  // What they keep for it besides answers ends with it.
  for (const auto& target : asked)
    if (const auto entry = services_.registry.find(target))
      tell_cancelled(*peer, kEverything, *entry);
}

void LinkBridge::receive(PeerId id, std::string_view target, Envelope request,
                         std::unique_ptr<Responder> responder) {
  const auto peer = find(id);
  if (peer == nullptr) return;
  const Header header = request.header;
  const auto entry = services_.registry.find(target);
  const Address address = entry == nullptr ? Address{} : entry->current().first;
  request.header.sender = peer->actor->id();
  request.header.sent = services_.clocks.mono();
  const auto* method = find_method(header.protocol, header.method);
  request.header.urgent = method != nullptr && method->urgent;
  // What comes from outside without a trace begins one (W3C Trace Context, "traceparent").
  if (auto& trace = request.header.trace; !trace.present())
    trace = {services_.random.next(), services_.random.next() | 1, 0};
  if (!address) return no_such_name(entry.get(), target, header, std::move(responder));
  {
    const std::lock_guard lock(peer->mutex);
    if (!peer->asked.contains(target)) peer->asked.emplace(target);
  }
  if (responder == nullptr) {
    const auto mid = message_id_of(request.header);
    const auto status = address.inbox->offer(std::move(request), nullptr, mid, nullptr);
    if (!status) services_.dead_letters.record(target, header, status.error().message);
    return;
  }
  if (header.deadline == kNoDeadline)
    request.header.deadline = request.header.sent + services_.ask_timeout;
  peer->box->expire(request.header.sent);

  // The responder is shared between the answer and a refusal below; only one of them comes.
  const std::shared_ptr<Responder> answer{std::move(responder)};
  ReplyBox::Done done = [peer = std::weak_ptr<Peer>(peer), answer, header](Result<Words> words) {
    if (const auto alive = peer.lock()) {
      const std::lock_guard lock(alive->mutex);
      alive->open.erase(header.correlation);
    }
    if (!words) return answer->respond(make_failure(header, words.error()));
    Envelope response{header, std::move(words).value()};
    response.header.kind = Kind::response;
    answer->respond(std::move(response));
  };
  auto filed = peer->box->expect(address.id(), request.header.deadline, done);
  if (!filed) return answer->respond(make_failure(header, filed.error()));
  {
    const std::lock_guard lock(peer->mutex);
    peer->open.insert_or_assign(header.correlation, Peer::Open{*filed, entry});
  }
  request.header.correlation = *filed;
  const auto mid = message_id_of(request.header, *filed);
  const auto status = address.inbox->offer(std::move(request), peer->actor, mid, nullptr);
  if (status) return;
  if (auto refused = peer->box->take(*filed)) (*refused)(status.error());
}

void LinkBridge::no_such_name(const NameEntry* entry, std::string_view target,
                              const Header& request, std::unique_ptr<Responder> responder) {
  const std::string name{target};
  Error nobody{Errc::UNAVAILABLE, "nobody answers to " + name, "", true};
  if (responder == nullptr) return services_.dead_letters.record(name, request, nobody.message);
  // A name that somebody had is not misspelt: he is restarting.
  const bool was_there = entry != nullptr && entry->generation() > 1;
  if (was_there || !suggests_.now(services_.clocks.mono()))
    return responder->respond(make_failure(request, nobody));
  // Not on the thread that reads the peer: there may be many names.
  const std::shared_ptr<Responder> answer{std::move(responder)};
  const auto submitted = services_.blocking.submit(
      [&registry = services_.registry, name, nobody, request, answer]() mutable {
        nobody.message += suggestion_suffix(name, registry.living());
        answer->respond(make_failure(request, nobody));
        return Status{};
      },
      [](const Status&) {});
  if (!submitted) answer->respond(make_failure(request, nobody));
}

void LinkBridge::notice_refused(PeerId, std::string_view target, const Header& notice,
                                const Error& why) {
  services_.dead_letters.record(target, notice, why.message);
}

void LinkBridge::not_let_in(const Error& why) {
  if (!why.retryable || tells_.now(services_.clocks.mono()))
    services_.log.logger("/link").error("a peer was not let in", {{"reason", why.message}});
}

void LinkBridge::cancelled(PeerId id, std::uint64_t correlation) {
  const auto peer = find(id);
  if (peer == nullptr) return;
  Peer::Open request;
  {
    const std::lock_guard lock(peer->mutex);
    auto node = peer->open.extract(correlation);
    if (node.empty()) return;
    request = std::move(node.mapped());
  }
  withdraw(*peer, request.id, *request.target);
}

void LinkBridge::withdraw(Peer& peer, std::uint64_t id, const NameEntry& target) {
  auto done = peer.box->take(id);
  if (!done) return;
  tell_cancelled(peer, id, target);
  (*done)(Error{Errc::CANCELLED, "the request was cancelled"});
}

void LinkBridge::tell_cancelled(Peer& peer, std::uint64_t id, const NameEntry& target) {
  Envelope envelope;
  envelope.header.kind = Kind::cancel;
  envelope.header.correlation = id;
  envelope.header.sender = peer.actor->id();
  const Address address = target.current().first;
  if (address)
    (void)address.inbox->offer(std::move(envelope), nullptr, caf::make_message_id(), nullptr);
}

}  // namespace symphony::runtime
