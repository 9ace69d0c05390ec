// Byte streams: what a connection of the link runs over.
//
// A connection does not know whether its bytes go through a socket or through memory, nor who calls
// it: it is `Driven`. Its stream calls turn() whenever there may be something to do, from one
// thread at a time. A socket has a thread of its own that polls (runtime/link/socket_stream.hpp);
// streams in memory are driven by their network, step by step, without threads
// (runtime/link/memory_network.hpp).
#pragma once

#include <sys/types.h>
#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "messages/result.hpp"
#include "runtime/time/clocks.hpp"

namespace symphony::runtime {

// What a turn asks of whoever drives it.
struct Turn {
  bool lost = false;         // the stream is of no more use; only wake() leads to another turn
  bool wants_read = true;    // take a turn when there is something to read
  bool wants_write = false;  // take a turn when the stream can be written again
  MonoTime wake_at = MonoTime::max();  // take a turn then at the latest
};

// Something with one entry point: do whatever can be done now, without blocking.
class Driven {
 public:
  virtual ~Driven() = default;
  virtual Turn turn() = 0;
  // Whether somebody waits for what will be read. Any thread; takes no lock.
  [[nodiscard]] virtual bool expects() const noexcept = 0;
};

struct Io {
  std::size_t bytes = 0;  // fewer than asked for (none, too): would block
  bool lost = false;      // end of stream or error
};

// Who is at the other end, as far as the transport can vouch for it.
struct Credentials {
  uid_t uid = 0;
  pid_t pid = 0;
};

// Both ends of a stream of bytes that arrive in order or not at all.
class ByteStream {
 public:
  virtual ~ByteStream() = default;

  // Never block. read() is for turns only; write() for one thread at a time, whichever.
  virtual Io read(std::span<std::byte> into) noexcept = 0;
  virtual Io write(std::span<const iovec> pieces) noexcept = 0;
  // Nobody will write to it any more: all there is to read has arrived. Leads to a turn, also of
  // one who does not want to read.
  [[nodiscard]] virtual bool hung_up() const noexcept = 0;
  // Ends both directions, and leads to a turn. What was written can still be read by the peer.
  // Thread-safe, idempotent.
  virtual void shutdown() noexcept = 0;
  virtual Result<Credentials> credentials() const = 0;

  // Begins to call driven->turn(), which is kept alive. Once. resourceExhausted: nobody can be had
  // to call it, and nothing has begun.
  virtual Status drive(std::shared_ptr<Driven> driven) = 0;
  // Leads to a turn soon. Thread-safe; may be called from inside a turn.
  virtual void wake() noexcept = 0;
  // Turns that have ended so far, for help(). Thread-safe.
  [[nodiscard]] virtual std::uint64_t turns() const noexcept = 0;
  // The calling thread has to wait for something that a turn will bring: true after a turn, taken
  // by it or by another, and at once when one has ended since turns() was `seen`; false when it
  // can only wait. Spares the wake-up of the reading thread. Thread-safe; not from inside a turn.
  //
  //     for (;;) {
  //       const auto seen = stream.turns();   // before looking: or the turn that brought the
  //       if (…it is there…) break;           // thing meanwhile would be waited for in vain
  //       if (!stream.help(seen)) …wait for it, and break…
  //     }
  virtual bool help(std::uint64_t seen) = 0;
  // Something is expected that no helper waits for: the stream must be read by its own driver.
  virtual void attend() noexcept = 0;
  // No turn is running and none will be. False when a turn did not end within `patience`: it still
  // runs, and this may be tried again. Not from inside a turn.
  [[nodiscard]] virtual bool halt(Nanos patience) = 0;
};

// Waits for peers.
class Listener {
 public:
  virtual ~Listener() = default;
  // Blocks until there is a peer, or until interrupt(): then gives null. After an error that is
  // retryable (no descriptors, no memory) it may be called again, and pauses by itself; any other
  // is final.
  virtual Result<std::unique_ptr<ByteStream>> accept() = 0;
  // Makes one accept() return, this or the next. Thread-safe.
  virtual void interrupt() noexcept = 0;
};

}  // namespace symphony::runtime
