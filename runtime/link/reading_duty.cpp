#include "runtime/link/reading_duty.hpp"

#include <utility>

#include "messages/result.hpp"

namespace symphony::runtime {

ReadingDuty::Next ReadingDuty::thread_next() noexcept {
  if (halted_) {
    thread_ = Thread::gone;
    return Next::end;
  }
  if (reader_ != Reader::nobody) {
    thread_ = Thread::waits;
    return Next::wait;
  }
  if (std::exchange(helpers_next_, false)) {
    thread_ = Thread::stands_back;
    return Next::stand_back;
  }
  thread_ = Thread::awake;
  reader_ = Reader::thread;
  sent_away_ = false;
  return Next::read;
}

ReadingDuty::Help ReadingDuty::helper_comes(std::uint64_t seen) noexcept {
  if (halted_) return Help::not_needed;
  if (turns_ != seen) return Help::turn_ended;
  if (reader_ == Reader::nobody) {
    reader_ = Reader::helper;
    return Help::read;
  }
  if (successor_) {
    sent_away_ = true;
    return Help::not_needed;
  }
  successor_ = true;
  succeeds_ = turns_;
  return Help::succeed;
}

ReadingDuty::Calls ReadingDuty::turn_ended(bool wanted) noexcept {
  SYMPHONY_ASSERT(reader_ != Reader::nobody);
  // Who just helped, or would have, will ask again, and is to find the reading free.
  const bool helpers_come = reader_ == Reader::helper || sent_away_;
  helpers_next_ = successor_ || (helpers_come && !wanted);
  reader_ = Reader::nobody;
  ++turns_;
  Calls calls;
  calls.successor = successor_;
  calls.thread = thread_ == Thread::waits || (thread_ == Thread::stands_back && !helpers_next_);
  calls.halting = halted_;
  return calls;
}

ReadingDuty::Calls ReadingDuty::successor_goes(bool wanted) noexcept {
  successor_ = false;
  return wanted && reader_ == Reader::nobody ? attend() : Calls{};
}

ReadingDuty::Calls ReadingDuty::attend() noexcept {
  helpers_next_ = false;
  return {.thread = thread_ == Thread::stands_back};
}

ReadingDuty::Calls ReadingDuty::halt() noexcept {
  halted_ = true;
  return {.thread = thread_sleeps(), .successor = successor_};
}

}  // namespace symphony::runtime
