// How a connection writes: from the thread that sends, or from its turns.
#include <algorithm>
#include <array>
#include <utility>

#include "runtime/link/connection.hpp"

namespace symphony::runtime {
namespace {

Error unavailable(std::string why) { return Error{Errc::UNAVAILABLE, std::move(why), {}, true}; }

}  // namespace

FrameHeader Connection::header_for(const Header& header, Kind kind) const {
  FrameHeader out;
  out.kind = kind;
  out.method = header.method;
  out.correlation = header.correlation;
  out.protocol = header.protocol;
  out.trace = header.trace;
  return out;
}

std::uint64_t Connection::ask(std::string_view target, Envelope request, Deadline deadline,
                              AskDone done) {
  const auto now = clocks_.mono();
  if (deadline == kNoDeadline) deadline = now + options_.ask_timeout;
  auto header = header_for(request.header, Kind::request);
  header.remaining_ns =
      static_cast<std::uint64_t>(std::max(Nanos{0}, Nanos{deadline - now}).count());
  {
    Lock lock{mutex_};
    if (pending_.full() || stage_ != Stage::open) {
      auto why = stage_ != Stage::open
                     ? unavailable(loss_ ? loss_->message : "the connection is not open yet")
                     : Error{Errc::OVERLOADED,
                             "more than " + std::to_string(options_.max_pending) +
                                 " asks wait for their answers on this connection",
                             {},
                             true};
      defer(lock, std::move(done), std::move(why));
      return 0;
    }
    header.correlation =
        pending_.add({std::move(done), deadline, request.header.protocol, request.header.method});
    expects_.store(true);
    if (pending_.wake_at() < planned_wake_) {
      planned_wake_ = pending_.wake_at();
      need_turn(lock);
    }
  }
  EncodedFrame frame;
  auto sent = frame.encode(header, target, request.words, options_.max_frame_bytes);
  if (sent) sent = send(frame, request.words);
  if (sent) return header.correlation;
  Lock lock{mutex_};
  if (broken_) return header.correlation;  // the loss will tell why
  if (auto ask = pending_.take(header.correlation)) defer(lock, std::move(ask->done), sent.error());
  return 0;
}

Status Connection::tell(std::string_view target, Envelope notice) {
  EncodedFrame frame;
  auto status = frame.encode(header_for(notice.header, Kind::notice), target, notice.words,
                             options_.max_frame_bytes);
  if (status) status = send(frame, notice.words);
  return status;
}

void Connection::cancel(std::uint64_t correlation) {
  {
    Lock lock{mutex_};
    auto ask = pending_.take(correlation);
    if (!ask) return;
    defer(lock, std::move(ask->done), Error{Errc::CANCELLED, "the asker changed its mind"});
  }
  send_cancel(correlation);
}

void Connection::send_cancel(std::uint64_t correlation) {
  Header header;
  header.correlation = correlation;
  EncodedFrame frame;
  // Best effort: the peer's work is wasted, no more, when it does not learn of it.
  if (frame.encode(header_for(header, Kind::cancel), "", {})) (void)send(frame, {});
}

void Connection::answer(const Header& request, Envelope answer) {
  SYMPHONY_ASSERT(answer.header.kind == Kind::response || answer.header.kind == Kind::failure);
  EncodedFrame frame;
  auto sent = frame.encode(header_for(request, answer.header.kind), "", answer.words,
                           options_.max_frame_bytes);
  if (!sent) {
    answer = make_failure(request, sent.error());
    sent = frame.encode(header_for(request, Kind::failure), "", answer.words,
                        options_.max_frame_bytes);
  }
  if (sent) sent = send(frame, answer.words);
  if (sent || sent.error().code != Errc::OVERLOADED) return;
  // An answer is never dropped while the connection lives.
  Lock lock{mutex_};
  lose(lock, unavailable("the peer does not read its answers"));
}

Status Connection::send(const EncodedFrame& frame, const Words& words) {
  Lock lock{mutex_};
  if (stage_ != Stage::open)
    return unavailable(loss_ ? loss_->message : "the connection is not open yet");
  if (broken_) return unavailable("the peer closed the connection");
  if (!outbound_.empty() &&
      outbound_.size_bytes() + frame.size_bytes() > options_.max_outbound_bytes)
    return Error{
        Errc::OVERLOADED,
        "the peer does not read: " + std::to_string(outbound_.size_bytes()) + " bytes wait for it",
        {},
        true};
  const bool corked = in_turn_ && turn_thread_ == std::this_thread::get_id();
  if (corked || writing_ || !outbound_.empty()) {
    // Whoever writes, waits for room or is in a turn will take it along.
    outbound_.append(frame, words);
    return {};
  }
  writing_ = true;
  lock.unlock();
  const auto io = stream_->write(frame.pieces());
  lock.lock();
  if (!io.lost && io.bytes == frame.size_bytes()) {
    drain(lock);
    return {};
  }
  (io.lost ? broken_ : blocked_) = true;
  if (!io.lost) outbound_.put_back(frame, words, io.bytes);
  writing_ = false;
  written_.notify_all();
  need_turn(lock);
  if (io.lost) return unavailable("the peer closed the connection");
  return {};
}

// Writes what others have appended. REQUIRES: writing_, set by the caller. Resets it.
void Connection::drain(Lock& lock) {
  std::array<iovec, Outbound::kMaxPieces> pieces;
  while (!outbound_.empty() && !broken_ && stage_ != Stage::lost) {
    const auto count = outbound_.gather(pieces);
    lock.unlock();
    std::size_t asked = 0;
    for (std::size_t i = 0; i < count; ++i) asked += pieces[i].iov_len;
    const auto io = stream_->write({pieces.data(), count});
    lock.lock();
    outbound_.consume(io.bytes);
    if (!io.lost && io.bytes == asked) continue;
    (io.lost ? broken_ : blocked_) = true;
    need_turn(lock);
    break;
  }
  writing_ = false;
  written_.notify_all();
}

void Connection::lose(Lock& lock, Error why) {
  if (stage_ == Stage::lost) return;
  stage_ = Stage::lost;
  loss_ = std::move(why);
  stream_->shutdown();
  need_turn(lock);
}

void Connection::close(const Error& why) {
  EncodedFrame frame;
  const auto goodbye = make_failure(Header{}, why);
  const auto encoded = frame.encode(header_for(goodbye.header, Kind::failure), "", goodbye.words);
  Lock lock{mutex_};
  if (stage_ == Stage::open && encoded && !writing_) {
    outbound_.append(frame, goodbye.words);
    writing_ = true;
    drain(lock);
  }
  lose(lock, unavailable(why.message));
}

void Connection::need_turn(const Lock&) {
  if (!in_turn_ && stream_ != nullptr) stream_->wake();
}

void Connection::defer(const Lock& lock, AskDone done, Error why) {
  deferred_.push_back({std::move(done), std::move(why)});
  need_turn(lock);
}

}  // namespace symphony::runtime
