// Byte streams in memory, for tests, simulations, and nodes inside the process that uses them.
//
// There are no threads in here: step() does the next thing that is due (bytes arrive, a connection
// is lost, an end takes a turn), on the thread that calls it. With clocks that move when told to
// and randomness from a seed, the same calls give the same history.
//
//     MemoryNetwork network{clocks, random};                  // ManualClocks: a simulation
//     auto [client, server] = network.connect({.delay_max = 3ms, .fragment = true});
//     …
//     while (network.advance()) {}                            // until nothing is left to do
//
// For a node inside the process, MemoryPump runs the steps on a thread, by the real clock.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <queue>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "runtime/ids/random.hpp"
#include "runtime/link/transport.hpp"
#include "runtime/time/clocks.hpp"

namespace symphony::runtime {

// How one connection behaves.
struct MemoryLinkOptions {
  static constexpr std::uint64_t kNever = ~std::uint64_t{0};

  Nanos delay_min{0};  // each write arrives after a time in [delay_min, delay_max]
  Nanos delay_max{0};
  bool fragment = false;  // writes arrive in pieces, each with a delay of its own
  std::size_t capacity_bytes = std::size_t{256} << 10;  // under way or not yet read, a direction
  std::uint64_t cut_first_after_bytes = kNever;   // lose it when the first end has sent so much
  std::uint64_t cut_second_after_bytes = kNever;  // the same for the second
  Credentials first;                              // what each end is told of the other
  Credentials second;
};

// Thread-safe; steps exclude each other.
class MemoryNetwork {
 public:
  // A simulation: advance() and waiting askers move `clocks`. All must outlive the network.
  MemoryNetwork(ManualClocks& clocks, Random& random);
  // By a clock that moves by itself: somebody must call step(), see MemoryPump.
  MemoryNetwork(const Clocks& clocks, Random& random);
  // REQUIRES: its streams are gone.
  ~MemoryNetwork();

  // The two ends of a new connection. Their Credentials are this process's unless given.
  std::pair<std::unique_ptr<ByteStream>, std::unique_ptr<ByteStream>> connect(
      const MemoryLinkOptions& options = {});

  // Does one thing that is due; false when nothing is.
  bool step();
  // step(), or else whatever `idle` can do, or else moves the clocks to what comes next and does
  // that. False when nothing will ever happen. For simulations.
  bool advance();
  // When the next thing is due, if anything is.
  std::optional<MonoTime> next() const;
  // What else there is to do in this simulation (actors to run): true when it did something.
  void set_idle(std::function<bool()> idle) { idle_ = std::move(idle); }
  // Breaks every connection now; what is under way is lost.
  void cut_all();
  // Blocks until something is due, or until stop() or `until` (of the steady clock).
  void wait(MonoTime until);
  void interrupt();

 private:
  class End;
  struct Pipe;
  struct Event {
    enum class What : std::uint8_t { arrive, cut, turn };
    MonoTime at;
    std::uint64_t order;
    What what;
    std::uint64_t pipe;
    int side;
    bool operator>(const Event& other) const {
      return std::tie(at, order) > std::tie(other.at, other.order);
    }
  };

  void push(MonoTime at, Event::What what, std::uint64_t pipe, int side);
  void queue_turn(Pipe& pipe, int side, MonoTime at);
  void arrive(Pipe& pipe, int side);
  void cut(Pipe& pipe);
  bool do_next(std::unique_lock<std::mutex>& lock);
  void take_turn(std::unique_lock<std::mutex>& lock, std::uint64_t id, int side);
  Io read(std::uint64_t id, int side, std::span<std::byte> into) noexcept;
  Io write(std::uint64_t id, int side, std::span<const iovec> pieces) noexcept;
  bool help();
  MonoTime later(const MemoryLinkOptions& options);

  const Clocks& clocks_;
  ManualClocks* manual_ = nullptr;
  Random& random_;
  std::function<bool()> idle_;
  mutable std::mutex mutex_;
  std::condition_variable due_;
  bool stepping_ = false;  // a thread is inside step(), perhaps in a turn
  std::condition_variable stepped_;
  bool interrupted_ = false;
  std::uint64_t next_pipe_ = 0;
  std::uint64_t next_order_ = 0;
  std::map<std::uint64_t, std::unique_ptr<Pipe>> pipes_;
  std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;
};

// Runs a network's steps on a thread until it is destroyed.
class MemoryPump {
 public:
  explicit MemoryPump(MemoryNetwork& network);
  ~MemoryPump();

 private:
  MemoryNetwork& network_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace symphony::runtime
