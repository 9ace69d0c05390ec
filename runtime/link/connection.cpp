#include "runtime/link/connection.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace symphony::runtime {
namespace {

// Reads of one turn, so that writing and deadlines get theirs.
constexpr int kReadsPerTurn = 32;
// Turns after the end, for callbacks that ask again: their asks fail, too.
constexpr int kLastTurns = 8;

Error unavailable(std::string why) { return Error{Errc::UNAVAILABLE, std::move(why), {}, true}; }

}  // namespace

// Where the answer to a peer's request goes.
class Connection::Answer final : public Responder {
 public:
  Answer(std::shared_ptr<Connection> connection, const Header& request, std::size_t held_bytes)
      : connection_(std::move(connection)), request_(request), held_bytes_(held_bytes) {}
  ~Answer() override {
    if (!done_) fail(unavailable("the request was dropped without an answer"));
    connection_->give_back(held_bytes_, true);
  }
  void respond(Envelope answer) noexcept override {
    done_ = true;
    connection_->answer(request_, std::move(answer));
  }
  void abandon(const Header&) noexcept override {
    fail(unavailable("the request was dropped without an answer"));
  }
  void fail(const Error& error) { respond(make_failure(request_, error)); }

 private:
  std::shared_ptr<Connection> connection_;
  Header request_;
  std::size_t held_bytes_;
  bool done_ = false;
};

Connection::Connection(Role role, std::unique_ptr<ByteStream> stream, const LinkOptions& options,
                       const Gate& gate, const Clocks& clocks, ConnectionEvents& events,
                       std::shared_ptr<InboundBudget> inbound, InboundBudget::Taker taker)
    : role_(role),
      options_(options),
      gate_(gate),
      clocks_(clocks),
      events_(events),
      stream_(std::move(stream)),
      inbound_(std::move(inbound)),
      taker_(taker),
      greeting_reader_(role == Role::accepting ? kMaxPeerNameBytes : kMaxGreetingTextBytes),
      decoder_(options.max_frame_bytes,
               [this](const FrameHeader& header, std::size_t frame_bytes) {
                 return admit(header, frame_bytes);
               }),
      greeting_by_(clocks.mono() + options.handshake_timeout),
      pending_(options.max_pending) {}

Connection::~Connection() = default;

Status Connection::start() {
  const auto credentials = stream_->credentials();
  const auto allowed =
      credentials ? check_uid(credentials->uid, options_.own_uid) : Status{credentials.error()};
  if (!allowed) {
    refuse(allowed.error());
  } else {
    peer_.credentials = *credentials;
    if (role_ != Role::accepting) {
      const auto kind = role_ == Role::connecting_node ? PeerKind::node : PeerKind::client;
      const Lock lock{mutex_};
      outbound_.append(encode_greeting({kLinkVersion, static_cast<std::uint8_t>(kind),
                                        options_.name.substr(0, kMaxPeerNameBytes)}));
    }
  }
  auto begun = stream_->drive(shared_from_this());
  if (!begun) refuse(begun.error());
  return begun;
}

// ---- turns --------------------------------------------------------------------------------------

Turn Connection::turn() {
  begin_turn();
  read_available();
  fail_expired();
  end_stalled();
  run_deferred();
  report_loss();
  return end_turn();
}

void Connection::begin_turn() {
  const Lock lock{mutex_};
  in_turn_ = true;
  turn_thread_ = std::this_thread::get_id();
}

Turn Connection::end_turn() {
  Lock lock{mutex_};
  if (!writing_) {
    blocked_ = false;
    writing_ = true;
    drain(lock);
  }
  in_turn_ = false;
  turn_thread_ = {};
  Turn turn;
  turn.lost = stage_ == Stage::lost;
  turn.wants_read = !paused_;
  turn.wants_write = blocked_ && !turn.lost;
  expects_.store(stage_ == Stage::greeting || !pending_.empty());
  turn.wake_at = pending_.wake_at();
  if (stage_ == Stage::greeting) turn.wake_at = std::min(turn.wake_at, greeting_by_);
  if (!turn.lost) turn.wake_at = std::min(turn.wake_at, stalls_at_);
  const bool again = !deferred_.empty() || (broken_ && !turn.lost) ||
                     (turn.lost && !loss_reported_) ||
                     (decoder_.held_back() && !paused_ && !turn.lost);
  if (again) turn.wake_at = clocks_.mono();
  // A turn that was planned for an ask that is answered by now stays planned: it costs nothing,
  // where calling it off would make each next ask wake the driver to plan it again.
  if (!turn.lost && planned_wake_ > clocks_.mono())
    turn.wake_at = std::min(turn.wake_at, planned_wake_);
  planned_wake_ = turn.wake_at;
  return turn;
}

Connection::Stage Connection::stage() const {
  const Lock lock{mutex_};
  return stage_;
}

void Connection::read_available() {
  bool more = true;
  for (int reads = 0; more && reads < kReadsPerTurn; ++reads) {
    switch (stage()) {
      case Stage::greeting:
        more = read_greeting();
        break;
      case Stage::open:
        more = read_frames();
        break;
      case Stage::lost:
        return;
    }
  }
  // Only now: what the peer said last was still to be read.
  Lock lock{mutex_};
  if (broken_ && !more) lose(lock, unavailable("the peer closed the connection"));
}

bool Connection::read_greeting() {
  if (clocks_.mono() >= greeting_by_) {
    refuse(Error{Errc::DEADLINE_EXCEEDED, "no greeting came in time"});
    return false;
  }
  const auto io = stream_->read(greeting_reader_.space());
  if (io.lost) {
    Lock lock{mutex_};
    lose(lock, unavailable("the peer closed the connection before it said who it is"));
    return false;
  }
  if (io.bytes == 0) return false;
  auto greeting = greeting_reader_.advance(io.bytes);
  if (!greeting)
    refuse(greeting.error());
  else if (greeting->has_value())
    greet(**greeting);
  return true;
}

void Connection::greet(const Greeting& greeting) {
  if (role_ == Role::accepting) {
    if (auto fits = check_hello(greeting); !fits) return refuse(fits.error());
    peer_.kind = static_cast<PeerKind>(greeting.code);
  } else {
    if (greeting.code != static_cast<std::uint8_t>(Verdict::welcome)) {
      Lock lock{mutex_};
      return lose(lock, Error{Errc::FAILED_PRECONDITION,
                              "the node refused the connection: " + greeting.text});
    }
    if (greeting.version != kLinkVersion) return refuse(check_hello(greeting).error());
    peer_.kind = PeerKind::node;
  }
  peer_.name = greeting.text;
  {
    const Lock lock{mutex_};
    if (stage_ == Stage::lost) return;
    stage_ = Stage::open;
    if (role_ == Role::accepting)
      outbound_.append(encode_greeting(
          {kLinkVersion, static_cast<std::uint8_t>(Verdict::welcome), options_.name}));
  }
  events_.opened(*this);
}

void Connection::refuse(const Error& why) {
  Lock lock{mutex_};
  if (stage_ == Stage::lost) return;
  // The greeting is small and the first thing written: it fits, or the peer is gone.
  if (role_ == Role::accepting && !writing_) {
    const auto bytes =
        encode_greeting({kLinkVersion, static_cast<std::uint8_t>(Verdict::refused), why.message});
    const iovec piece{const_cast<std::byte*>(bytes.data()), bytes.size()};
    stream_->write({&piece, 1});
  }
  lose(lock, why);
}

bool Connection::read_frames() {
  bool more = true;
  if (!decoder_.held_back()) {
    const auto space = decoder_.space();
    const auto io = stream_->read(space);
    if (io.lost) {
      Lock lock{mutex_};
      lose(lock, unavailable("the peer closed the connection"));
      return false;
    }
    decoder_.commit(io.bytes);
    more = io.bytes == space.size();
    if (io.bytes > 0) note_progress();
  }
  for (;;) {
    auto frame = decoder_.next();
    if (!frame) {
      close(frame.error());
      return false;
    }
    if (!frame->has_value()) break;
    dispatch(std::move(**frame));
  }
  return more && !decoder_.held_back();
}

void Connection::dispatch(Frame frame) {
  switch (frame.header.kind) {
    case Kind::request:
    case Kind::notice:
      return on_request(std::move(frame));
    case Kind::response:
    case Kind::failure:
      return on_answer(std::move(frame));
    case Kind::cancel:
      return events_.cancelled(*this, frame.header.correlation);
  }
}

void Connection::on_request(Frame frame) {
  const auto& from = frame.header;
  Envelope request;
  request.header.protocol = from.protocol;
  request.header.method = from.method;
  request.header.kind = from.kind;
  request.header.correlation = from.correlation;
  request.header.trace = from.trace;
  const auto now = clocks_.mono();
  const auto most = static_cast<std::uint64_t>((kNoDeadline - now).count());
  if (from.remaining_ns < most)
    request.header.deadline = now + Nanos{static_cast<Nanos::rep>(from.remaining_ns)};

  const auto held_bytes = std::exchange(admitted_bytes_, 0);
  stalls_at_ = MonoTime::max();
  auto allowed = gate_.check_request(from, frame.words);
  if (allowed && from.remaining_ns == 0)
    allowed = Error{Errc::DEADLINE_EXCEEDED, "the request came after its deadline"};
  request.words = std::move(frame.words);
  if (from.kind == Kind::notice) {
    if (allowed) return events_.requested(*this, frame.target, std::move(request), nullptr);
    return events_.refused(*this, frame.target, request.header, allowed.error());
  }
  {
    const Lock lock{mutex_};
    if (++unanswered_ > options_.max_pending && allowed)
      allowed = Error{Errc::OVERLOADED,
                      "more than " + std::to_string(options_.max_pending) +
                          " requests of this peer wait for their answers",
                      {},
                      true};
  }
  auto responder = std::make_unique<Answer>(shared_from_this(), request.header, held_bytes);
  if (!allowed) return responder->fail(allowed.error());
  events_.requested(*this, frame.target, std::move(request), std::move(responder));
}

void Connection::on_answer(Frame frame) {
  const bool failed = frame.header.kind == Kind::failure;
  auto valid = failed ? gate_.check_failure(frame.words) : Status{};
  Envelope failure;
  failure.header.kind = Kind::failure;
  if (failed && valid) failure.words = frame.words;

  Lock lock{mutex_};
  if (failed && frame.header.correlation == 0) {
    const auto why = valid ? read_failure(failure).message : valid.error().message;
    return lose(lock, unavailable("the peer closed the connection: " + why));
  }
  auto ask = pending_.take(frame.header.correlation);
  lock.unlock();
  if (!ask) return;  // cancelled, or expired
  if (!failed) valid = gate_.check_response(ask->protocol, ask->method, frame.words);
  if (!valid) return ask->done(valid.error());
  if (failed) return ask->done(read_failure(failure));
  ask->done(std::move(frame.words));
}

void Connection::fail_expired() {
  std::vector<PendingTable::Ask> expired;
  {
    const Lock lock{mutex_};
    if (pending_.wake_at() == kNoDeadline) return;
    expired = pending_.take_expired(clocks_.mono());
  }
  // The peer need not work on what nobody waits for any more.
  for (const auto& ask : expired) send_cancel(ask.correlation);
  for (auto& ask : expired)
    ask.done(Error{Errc::DEADLINE_EXCEEDED, "no answer came in time", {}, true});
}

void Connection::run_deferred() {
  std::vector<Deferred> deferred;
  {
    const Lock lock{mutex_};
    deferred.swap(deferred_);
  }
  for (auto& one : deferred) one.done(std::move(one.why));
}

void Connection::report_loss() {
  std::vector<PendingTable::Ask> failed;
  {
    const Lock lock{mutex_};
    if (stage_ != Stage::lost || loss_reported_) return;
    failed = pending_.take_all();
  }
  loss_reported_ = true;
  forget_frame();
  for (auto& ask : failed) ask.done(unavailable(loss_->message));
  events_.lost(*this, *loss_);
}

// ---- the end ------------------------------------------------------------------------------------

bool Connection::retire(Nanos patience) {
  if (!stream_->halt(patience)) return false;
  {
    Lock lock{mutex_};
    lose(lock, unavailable("the connection was closed"));
    written_.wait(lock, [this] { return !writing_; });
  }
  // The driver has taken its last turn; this one tells whoever still waits.
  for (int turns = 0; turns < kLastTurns && turn().wake_at != MonoTime::max(); ++turns) {
  }
  const Lock lock{mutex_};
  stream_.reset();
  return true;
}

std::uint64_t Connection::turns() const noexcept { return stream_->turns(); }
bool Connection::help(std::uint64_t seen) { return stream_->help(seen); }
void Connection::attend() { stream_->attend(); }

bool Connection::in_own_turn() const {
  const Lock lock{mutex_};
  return in_turn_ && turn_thread_ == std::this_thread::get_id();
}

}  // namespace symphony::runtime
