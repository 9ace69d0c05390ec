// What a connection holds of what its peer has sent, and when it stops reading because of that.
#include <utility>

#include "runtime/link/connection.hpp"

namespace symphony::runtime {
namespace {

// What a request costs beside its words: its envelope in a mailbox, where its answer goes.
constexpr std::size_t kHeldPerFrameBytes = 512;

}  // namespace

// Lives as long as the words of a notice do: nobody says when it was dealt with.
class Connection::HeldNotice {
 public:
  HeldNotice(std::weak_ptr<Connection> connection, std::shared_ptr<InboundBudget> inbound,
             std::size_t bytes)
      : connection_(std::move(connection)), inbound_(std::move(inbound)), bytes_(bytes) {}
  HeldNotice(const HeldNotice&) = delete;
  HeldNotice& operator=(const HeldNotice&) = delete;
  ~HeldNotice() {
    if (const auto alive = connection_.lock())
      alive->give_back(bytes_, false);
    else if (inbound_ != nullptr)
      inbound_->give_back(bytes_);
  }

 private:
  std::weak_ptr<Connection> connection_;
  std::shared_ptr<InboundBudget> inbound_;
  std::size_t bytes_;
};

FrameDecoder::Admission Connection::admit(const FrameHeader& header, std::size_t frame_bytes) {
  if (header.kind != Kind::request && header.kind != Kind::notice) return {};
  const auto bytes = frame_bytes + kHeldPerFrameBytes;
  if (!take(bytes)) {
    // What is left of one who is gone is no more than the stream itself holds: it is not worth
    // keeping his requests alive for.
    if (!stream_->hung_up()) return {.now = false, .with_words = {}};
    insist(bytes);
  }
  if (header.kind == Kind::notice)
    return {.now = true,
            .with_words = std::make_shared<HeldNotice>(weak_from_this(), inbound_, bytes)};
  admitted_bytes_ = bytes;
  note_progress();
  return {};
}

// Room for so much, here and in what is shared; or this pauses until there is.
bool Connection::take(std::size_t bytes) {
  if (reserved_bytes_ == 0) {
    const Lock lock{mutex_};
    if (held_bytes_ != 0 && held_bytes_ + bytes > options_.max_inbound_bytes) {
      waits_for_bytes_ = bytes;
      paused_ = true;
      return false;
    }
    held_bytes_ += bytes;
    reserved_bytes_ = bytes;
  }
  if (inbound_ != nullptr && !inbound_->take(taker_, bytes, weak_from_this())) {
    const Lock lock{mutex_};
    if (!std::exchange(resumed_, false)) paused_ = true;
    return false;
  }
  reserved_bytes_ = 0;
  return true;
}

void Connection::insist(std::size_t bytes) {
  if (inbound_ != nullptr) {
    inbound_->leave(taker_);
    inbound_->insist(bytes);
  }
  const Lock lock{mutex_};
  if (std::exchange(reserved_bytes_, 0) == 0) held_bytes_ += bytes;
  waits_for_bytes_ = 0;
  paused_ = resumed_ = false;
}

void Connection::resume() noexcept {
  const Lock lock{mutex_};
  resumed_ = !std::exchange(paused_, false);
  need_turn(lock);
}

void Connection::give_back(std::size_t bytes, bool answered) {
  {
    const Lock lock{mutex_};
    if (answered) --unanswered_;
    held_bytes_ -= bytes;
    const bool room =
        held_bytes_ == 0 || held_bytes_ + waits_for_bytes_ <= options_.max_inbound_bytes;
    if (waits_for_bytes_ != 0 && room) {
      waits_for_bytes_ = 0;
      paused_ = false;
      need_turn(lock);
    }
  }
  if (inbound_ != nullptr) inbound_->give_back(bytes);
}

// ---- a peer that stops in the middle ------------------------------------------------------------

void Connection::note_progress() {
  if (admitted_bytes_ > InboundBudget::kSmallBytes)
    stalls_at_ = clocks_.mono() + LinkOptions::kStallTimeout;
}

void Connection::end_stalled() {
  if (stalls_at_ == MonoTime::max() || inbound_ == nullptr) return;
  const auto now = clocks_.mono();
  if (now < stalls_at_) return;
  stalls_at_ = now + LinkOptions::kStallTimeout;
  if (inbound_->anybody_waits())
    close(Error{Errc::UNAVAILABLE,
                "the peer stopped in the middle of a message while others wait for memory"});
}

// The connection is lost: the frame that was being read, or waited for room, is not coming.
void Connection::forget_frame() {
  stalls_at_ = MonoTime::max();
  if (inbound_ != nullptr) inbound_->leave(taker_);
  if (const auto admitted = std::exchange(admitted_bytes_, 0)) give_back(admitted, false);
  const Lock lock{mutex_};
  held_bytes_ -= std::exchange(reserved_bytes_, 0);
}

}  // namespace symphony::runtime
