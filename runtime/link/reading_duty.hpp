// Whose duty it is to read a stream: that of its own thread, or of a thread that waits for what
// will be read ("helper"), which spares it being woken.
//
// One at a time reads: it polls, takes a turn and says turn_ended(). The first helper that finds
// somebody reading succeeds him: it waits for the end of that turn, and then reads on, or leaves
// and with that hands the duty back. Further ones are sent away, to be woken by their answers.
//
// While helpers come one after another, the stream's own thread stands back: for a while, so that
// a stream that nobody helps with is read all the same. When somebody waits for an answer without
// helping, it is called.
//
// A pure core: no threads, no locks, no time. Each function gives what the caller is to do next, or
// whom it is to call. Not thread-safe: see runtime/link/socket_stream.hpp for the shell around it.
#pragma once

#include <cstdint>

namespace symphony::runtime {

class ReadingDuty {
 public:
  enum class Reader : std::uint8_t { nobody, thread, helper };
  // For the stream's own thread.
  enum class Next : std::uint8_t {
    read,        // poll, take a turn, say turn_ended(), and ask again
    stand_back,  // ask again when called, or after a while
    wait,        // ask again when called: a helper is reading
    end,         // halted: leave
  };
  // For a helper.
  enum class Help : std::uint8_t {
    read,        // poll, take a turn, say turn_ended()
    succeed,     // wait until called and successor_may_go(), then say successor_goes()
    turn_ended,  // one has ended since it looked: what it waits for may be there
    not_needed,  // somebody reads and somebody else will, or halted: wait for the thing itself
  };
  // Whom to call: each is asleep, and looks again when called.
  struct Calls {
    bool thread = false;
    bool successor = false;
    bool halting = false;  // whoever waits for at_rest()
  };

  // The stream's own thread looks for what to do.
  Next thread_next() noexcept;
  // A helper comes that has looked when turns() was `seen`.
  Help helper_comes(std::uint64_t seen) noexcept;
  // The turn of whoever reads is over. `wanted`: somebody waits for what will be read next, or the
  // stream has to be written. REQUIRES: somebody reads.
  Calls turn_ended(bool wanted) noexcept;
  [[nodiscard]] bool successor_may_go() const noexcept { return halted_ || turns_ != succeeds_; }
  // The successor has stopped waiting, and will either come again as a helper or not.
  Calls successor_goes(bool wanted) noexcept;
  // Something is expected that no helper waits for.
  Calls attend() noexcept;
  // Nobody shall begin to read any more.
  Calls halt() noexcept;

  [[nodiscard]] Reader reader() const noexcept { return reader_; }
  // Turns that have ended.
  [[nodiscard]] std::uint64_t turns() const noexcept { return turns_; }
  [[nodiscard]] bool halted() const noexcept { return halted_; }
  // The thread has left and nobody reads.
  [[nodiscard]] bool at_rest() const noexcept {
    return thread_ == Thread::gone && reader_ == Reader::nobody;
  }

 private:
  enum class Thread : std::uint8_t { awake, stands_back, waits, gone };
  [[nodiscard]] bool thread_sleeps() const noexcept {
    return thread_ == Thread::stands_back || thread_ == Thread::waits;
  }

  Reader reader_ = Reader::nobody;
  Thread thread_ = Thread::awake;
  std::uint64_t turns_ = 0;
  bool successor_ = false;  // a helper waits for the turn after `succeeds_` turns to end
  std::uint64_t succeeds_ = 0;
  bool sent_away_ = false;     // a helper was, since the thread began to read
  bool helpers_next_ = false;  // the thread is to stand back when it looks next
  bool halted_ = false;
};

}  // namespace symphony::runtime
