// One connection between two processes, whatever it runs over and whichever end it is.
//
// Both ends may ask. An ask that cannot be answered fails: at once when the connection is lost
// (`unavailable`, all of them), at its deadline when the peer is silent, with `overloaded` when too
// many are unanswered or the peer does not read.
//
// What the peer has sent and nobody is done with is limited in bytes, here and for all connections
// of a server: beyond that nothing is read until something is answered, and the peer has to wait.
// Answers are read always, for they were asked for.
//
// Threads: whoever sends writes to the stream itself, without blocking; what does not fit is kept,
// up to a limit, and written by turns. All else (reading, deadlines, callbacks) happens in turns,
// which the stream calls from one thread at a time. A callback must not block.
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "messages/call.hpp"
#include "messages/envelope.hpp"
#include "messages/ref.hpp"
#include "runtime/link/byte_budget.hpp"
#include "runtime/link/frame.hpp"
#include "runtime/link/gate.hpp"
#include "runtime/link/handshake.hpp"
#include "runtime/link/options.hpp"
#include "runtime/link/outbound.hpp"
#include "runtime/link/pending.hpp"
#include "runtime/link/transport.hpp"

namespace symphony::runtime {

class Connection;

// What a connection tells its owner, in turns.
class ConnectionEvents {
 public:
  virtual ~ConnectionEvents() = default;
  // Greetings were exchanged: from now on it carries messages.
  virtual void opened(Connection& connection) = 0;
  // A valid request (or notice: no responder) for `target`. Its header: the deadline is absolute,
  // the correlation is the peer's, the sender is 0.
  virtual void requested(Connection& connection, std::string_view target, Envelope request,
                         std::unique_ptr<Responder> responder) = 0;
  // A notice for `target` that was not let in.
  virtual void refused(Connection& /*connection*/, std::string_view /*target*/,
                       const Header& /*notice*/, const Error& /*why*/) {}
  // The peer no longer wants the answer to its request with this correlation.
  virtual void cancelled(Connection& connection, std::uint64_t correlation) = 0;
  // Last of all; also of a connection that was never opened. Everything pending has failed.
  virtual void lost(Connection& connection, const Error& why) = 0;
};

class Connection final : public Driven,
                         public Paused,
                         public std::enable_shared_from_this<Connection> {
 public:
  // Of the two ends, the one that connected greets first.
  enum class Role : std::uint8_t { connecting_client, connecting_node, accepting };

  struct Peer {
    std::string name;
    PeerKind kind = PeerKind::client;
    Credentials credentials;
  };

  // Gate, clocks and events must outlive all turns: until retire(). Held by shared_ptr. `inbound`:
  // what this shares with others, among whom it is `taker`; null: nothing.
  Connection(Role role, std::unique_ptr<ByteStream> stream, const LinkOptions& options,
             const Gate& gate, const Clocks& clocks, ConnectionEvents& events,
             std::shared_ptr<InboundBudget> inbound = nullptr, InboundBudget::Taker taker = 0);
  ~Connection() override;

  // Begins the turns. Once. resourceExhausted: they cannot begin; the peer has been told, and this
  // is to be retired.
  Status start();

  // Sends a request; `done` is called exactly once, in a turn, never from inside ask(). Gives the
  // correlation, or 0 when it could not be sent: `done` will tell.
  std::uint64_t ask(std::string_view target, Envelope request, Deadline deadline, AskDone done);
  Status tell(std::string_view target, Envelope notice);
  // `done` of that ask is called with `cancelled`, if it was not called yet, and the peer is told.
  void cancel(std::uint64_t correlation);
  // Ends the connection and tells the peer why. Everything pending fails. Idempotent.
  void close(const Error& why);

  // The end of the turns and of the stream: everything pending has failed when it returns, and
  // only destruction is of use. Not from inside a turn. False: a turn has not ended within
  // `patience` and may still use what this was given; may be tried again.
  [[nodiscard]] bool retire(Nanos patience);

  // See ByteStream. Not from inside a turn.
  [[nodiscard]] std::uint64_t turns() const noexcept;
  bool help(std::uint64_t seen);
  void attend();
  // Whether the calling thread is inside a turn of this connection.
  [[nodiscard]] bool in_own_turn() const;

  // REQUIRES: opened.
  [[nodiscard]] const Peer& peer() const noexcept { return peer_; }

  Turn turn() override;
  void resume() noexcept override;
  bool expects() const noexcept override { return expects_.load(); }

 private:
  class Answer;
  class HeldNotice;
  enum class Stage : std::uint8_t { greeting, open, lost };
  struct Deferred {
    AskDone done;
    Error why;
  };
  using Lock = std::unique_lock<std::mutex>;

  // Turns.
  [[nodiscard]] Stage stage() const;
  void begin_turn();
  Turn end_turn();
  void read_available();
  bool read_greeting();  // each: whether to go on reading
  bool read_frames();
  void greet(const Greeting& greeting);
  void refuse(const Error& why);
  void dispatch(Frame frame);
  void on_request(Frame frame);
  void on_answer(Frame frame);
  void fail_expired();
  void end_stalled();
  void run_deferred();
  void report_loss();

  // What came in and is not done with: connection_inbound.cpp.
  FrameDecoder::Admission admit(const FrameHeader& header, std::size_t frame_bytes);
  bool take(std::size_t bytes);
  void insist(std::size_t bytes);
  void note_progress();
  void forget_frame();
  void give_back(std::size_t bytes, bool answered);  // any thread

  // Sending; any thread.
  Status send(const EncodedFrame& frame, const Words& words);
  void drain(Lock& lock);
  void answer(const Header& request, Envelope answer);
  void lose(Lock& lock, Error why);
  void need_turn(const Lock& lock);
  void defer(const Lock& lock, AskDone done, Error why);
  void send_cancel(std::uint64_t correlation);
  FrameHeader header_for(const Header& header, Kind kind) const;

  const Role role_;
  const LinkOptions options_;
  const Gate& gate_;
  const Clocks& clocks_;
  ConnectionEvents& events_;
  std::unique_ptr<ByteStream> stream_;  // not replaced until retire()
  const std::shared_ptr<InboundBudget> inbound_;
  const InboundBudget::Taker taker_;

  // Of turns alone.
  GreetingReader greeting_reader_;
  FrameDecoder decoder_;
  MonoTime greeting_by_;
  Peer peer_;
  bool loss_reported_ = false;
  std::size_t reserved_bytes_ = 0;        // here, for a frame that waits for room in inbound_
  std::size_t admitted_bytes_ = 0;        // for the request that is being read
  MonoTime stalls_at_ = MonoTime::max();  // when one that is large has not gone on

  mutable std::mutex mutex_;
  std::condition_variable written_;
  Stage stage_ = Stage::greeting;
  std::optional<Error> loss_;
  PendingTable pending_;
  std::atomic<bool> expects_{true};  // greeting, or something is pending
  Outbound outbound_;
  std::vector<Deferred> deferred_;
  bool writing_ = false;  // a thread is inside stream_->write()
  bool blocked_ = false;  // the stream did not take everything
  bool broken_ = false;   // the stream takes nothing any more; what it still gives is read first
  bool in_turn_ = false;
  std::thread::id turn_thread_;
  MonoTime planned_wake_ = MonoTime::max();
  std::size_t unanswered_ = 0;
  std::size_t held_bytes_ = 0;       // of what came in and is not done with
  std::size_t waits_for_bytes_ = 0;  // until there is room for so many here
  bool paused_ = false;              // nothing is read
  bool resumed_ = false;             // before it was known that it had to pause
};

}  // namespace symphony::runtime
