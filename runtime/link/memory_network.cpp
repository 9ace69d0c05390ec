#include "runtime/link/memory_network.hpp"

#include <unistd.h>

#include <algorithm>
#include <deque>
#include <limits>

namespace symphony::runtime {

struct MemoryNetwork::Pipe {
  // What one end is to the network.
  struct Side {
    bool alive = true;  // its ByteStream exists
    bool shut = false;
    bool turn_queued = false;
    std::shared_ptr<Driven> driven;
    Turn last;
  };
  // From side i to the other.
  struct Direction {
    std::deque<std::vector<std::byte>> under_way;
    std::size_t under_way_bytes = 0;
    std::deque<std::byte> arrived;
    std::uint64_t written_bytes = 0;
    std::uint64_t cut_after_bytes = MemoryLinkOptions::kNever;
    MonoTime last_arrival = MonoTime::min();
  };

  MemoryLinkOptions options;
  Side sides[2];
  Direction directions[2];
  bool lost = false;

  [[nodiscard]] std::size_t room(int side) const {
    const auto& direction = directions[side];
    const auto used = direction.under_way_bytes + direction.arrived.size();
    return options.capacity_bytes - std::min(options.capacity_bytes, used);
  }
};

class MemoryNetwork::End final : public ByteStream {
 public:
  End(MemoryNetwork& network, std::uint64_t pipe, int side, Credentials peer)
      : network_(network), pipe_(pipe), side_(side), peer_(peer) {}
  ~End() override {
    shutdown();
    const std::lock_guard lock{network_.mutex_};
    auto& pipe = *network_.pipes_.at(pipe_);
    pipe.sides[side_].alive = false;
    if (!pipe.sides[1 - side_].alive) network_.pipes_.erase(pipe_);
  }

  Io read(std::span<std::byte> into) noexcept override { return network_.read(pipe_, side_, into); }
  Io write(std::span<const iovec> pieces) noexcept override {
    return network_.write(pipe_, side_, pieces);
  }
  bool hung_up() const noexcept override {
    const std::lock_guard lock{network_.mutex_};
    return network_.pipes_.at(pipe_)->lost;
  }
  void shutdown() noexcept override {
    const std::lock_guard lock{network_.mutex_};
    auto& pipe = *network_.pipes_.at(pipe_);
    if (std::exchange(pipe.sides[side_].shut, true)) return;
    // The peer notices after what is under way to it.
    const auto at = std::max(pipe.directions[side_].last_arrival, network_.later(pipe.options));
    network_.push(at, Event::What::cut, pipe_, side_);
    network_.queue_turn(pipe, side_, network_.clocks_.mono());
  }
  Result<Credentials> credentials() const override { return peer_; }
  Status drive(std::shared_ptr<Driven> driven) override {
    const std::lock_guard lock{network_.mutex_};
    auto& pipe = *network_.pipes_.at(pipe_);
    pipe.sides[side_].driven = std::move(driven);
    network_.queue_turn(pipe, side_, network_.clocks_.mono());
    return {};
  }
  void wake() noexcept override {
    const std::lock_guard lock{network_.mutex_};
    network_.queue_turn(*network_.pipes_.at(pipe_), side_, network_.clocks_.mono());
  }
  std::uint64_t turns() const noexcept override { return 0; }  // help() never waits
  bool help(std::uint64_t) override { return network_.help(); }
  void attend() noexcept override {}
  bool halt(Nanos patience) override {
    std::shared_ptr<Driven> driven;  // released last, outside of the lock
    std::unique_lock lock{network_.mutex_};
    if (!network_.stepped_.wait_for(lock, patience, [this] { return !network_.stepping_; }))
      return false;
    driven.swap(network_.pipes_.at(pipe_)->sides[side_].driven);
    return true;
  }

 private:
  MemoryNetwork& network_;
  std::uint64_t pipe_;
  int side_;
  Credentials peer_;
};

MemoryNetwork::MemoryNetwork(ManualClocks& clocks, Random& random)
    : clocks_(clocks), manual_(&clocks), random_(random) {}
MemoryNetwork::MemoryNetwork(const Clocks& clocks, Random& random)
    : clocks_(clocks), random_(random) {}
MemoryNetwork::~MemoryNetwork() { SYMPHONY_ASSERT(pipes_.empty()); }

std::pair<std::unique_ptr<ByteStream>, std::unique_ptr<ByteStream>> MemoryNetwork::connect(
    const MemoryLinkOptions& options) {
  const std::lock_guard lock{mutex_};
  const auto id = next_pipe_++;
  auto pipe = std::make_unique<Pipe>();
  pipe->options = options;
  pipe->directions[0].cut_after_bytes = options.cut_first_after_bytes;
  pipe->directions[1].cut_after_bytes = options.cut_second_after_bytes;
  pipes_.emplace(id, std::move(pipe));
  return {std::make_unique<End>(*this, id, 0, options.second),
          std::make_unique<End>(*this, id, 1, options.first)};
}

void MemoryNetwork::push(MonoTime at, Event::What what, std::uint64_t pipe, int side) {
  events_.push({at, next_order_++, what, pipe, side});
  due_.notify_all();
}

void MemoryNetwork::queue_turn(Pipe& pipe, int side, MonoTime at) {
  if (std::exchange(pipe.sides[side].turn_queued, true)) return;
  const auto found = std::find_if(pipes_.begin(), pipes_.end(),
                                  [&](const auto& entry) { return entry.second.get() == &pipe; });
  push(at, Event::What::turn, found->first, side);
}

MonoTime MemoryNetwork::later(const MemoryLinkOptions& options) {
  const auto spread = (options.delay_max - options.delay_min).count();
  const Nanos jitter{spread > 0 ? random_.below(static_cast<std::uint64_t>(spread) + 1) : 0};
  return clocks_.mono() + options.delay_min + jitter;
}

Io MemoryNetwork::read(std::uint64_t id, int side, std::span<std::byte> into) noexcept {
  const std::lock_guard lock{mutex_};
  auto& pipe = *pipes_.at(id);
  if (pipe.sides[side].shut) return {0, true};
  auto& arrived = pipe.directions[1 - side].arrived;
  const auto n = std::min(into.size(), arrived.size());
  if (n == 0) return {0, pipe.lost};
  std::copy_n(arrived.begin(), n, into.begin());
  arrived.erase(arrived.begin(), arrived.begin() + static_cast<std::ptrdiff_t>(n));
  if (pipe.sides[1 - side].last.wants_write) queue_turn(pipe, 1 - side, clocks_.mono());
  return {n, false};
}

Io MemoryNetwork::write(std::uint64_t id, int side, std::span<const iovec> pieces) noexcept {
  const std::lock_guard lock{mutex_};
  auto& pipe = *pipes_.at(id);
  if (pipe.sides[side].shut || pipe.lost) return {0, true};
  auto& direction = pipe.directions[side];
  std::vector<std::byte> bytes;
  auto room = pipe.room(side);
  for (const auto& piece : pieces) {
    const auto n = std::min(room, piece.iov_len);
    const auto* from = static_cast<const std::byte*>(piece.iov_base);
    bytes.insert(bytes.end(), from, from + n);
    room -= n;
  }
  const auto accepted = bytes.size();
  const bool was_cut = direction.written_bytes >= direction.cut_after_bytes;
  const auto until_cut =
      direction.cut_after_bytes - std::min(direction.cut_after_bytes, direction.written_bytes);
  direction.written_bytes += accepted;
  if (bytes.size() > until_cut) bytes.resize(until_cut);
  for (std::size_t at = 0; at < bytes.size();) {
    auto size = bytes.size() - at;
    if (pipe.options.fragment) size = 1 + random_.below(size);
    const auto begin = bytes.begin() + static_cast<std::ptrdiff_t>(at);
    direction.under_way.emplace_back(begin, begin + static_cast<std::ptrdiff_t>(size));
    direction.under_way_bytes += size;
    direction.last_arrival = std::max(direction.last_arrival, later(pipe.options));
    push(direction.last_arrival, Event::What::arrive, id, side);
    at += size;
  }
  if (!was_cut && direction.written_bytes >= direction.cut_after_bytes)
    push(std::max(direction.last_arrival, clocks_.mono()), Event::What::cut, id, side);
  return {accepted, false};
}

void MemoryNetwork::arrive(Pipe& pipe, int side) {
  auto& direction = pipe.directions[side];
  if (direction.under_way.empty()) return;  // was cut
  const auto& bytes = direction.under_way.front();
  direction.arrived.insert(direction.arrived.end(), bytes.begin(), bytes.end());
  direction.under_way_bytes -= bytes.size();
  direction.under_way.pop_front();
  queue_turn(pipe, 1 - side, clocks_.mono());
}

void MemoryNetwork::cut(Pipe& pipe) {
  pipe.lost = true;
  for (const int side : {0, 1}) {
    pipe.directions[side].under_way.clear();
    pipe.directions[side].under_way_bytes = 0;
    queue_turn(pipe, side, clocks_.mono());
  }
}

void MemoryNetwork::cut_all() {
  const std::lock_guard lock{mutex_};
  for (auto& [id, pipe] : pipes_) cut(*pipe);
}

void MemoryNetwork::take_turn(std::unique_lock<std::mutex>& lock, std::uint64_t id, int side) {
  auto driven = pipes_.at(id)->sides[side].driven;
  if (driven == nullptr) return;
  lock.unlock();
  const auto turn = driven->turn();
  driven.reset();  // may destroy the end: not under the lock
  lock.lock();
  const auto found = pipes_.find(id);
  if (found == pipes_.end()) return;
  auto& pipe = *found->second;
  pipe.sides[side].last = turn;
  const bool readable = turn.wants_read && !pipe.directions[1 - side].arrived.empty();
  if (!turn.lost && (readable || (turn.wants_write && pipe.room(side) > 0)))
    queue_turn(pipe, side, clocks_.mono());
}

bool MemoryNetwork::step() {
  std::unique_lock lock{mutex_};
  stepped_.wait(lock, [this] { return !stepping_; });
  stepping_ = true;
  const bool did = do_next(lock);
  stepping_ = false;
  stepped_.notify_all();
  return did;
}

bool MemoryNetwork::do_next(std::unique_lock<std::mutex>& lock) {
  const auto now = clocks_.mono();
  if (!events_.empty() && events_.top().at <= now) {
    const auto event = events_.top();
    events_.pop();
    const auto found = pipes_.find(event.pipe);
    if (found == pipes_.end()) return true;
    auto& pipe = *found->second;
    if (event.what == Event::What::arrive) {
      arrive(pipe, event.side);
    } else if (event.what == Event::What::cut) {
      cut(pipe);
    } else {
      pipe.sides[event.side].turn_queued = false;
      take_turn(lock, event.pipe, event.side);
    }
    return true;
  }
  for (auto& [id, pipe] : pipes_) {
    for (const int side : {0, 1}) {
      auto& end = pipe->sides[side];
      if (end.driven == nullptr || end.last.wake_at > now) continue;
      take_turn(lock, id, side);
      return true;
    }
  }
  return false;
}

std::optional<MonoTime> MemoryNetwork::next() const {
  const std::lock_guard lock{mutex_};
  auto at = events_.empty() ? MonoTime::max() : events_.top().at;
  for (const auto& [id, pipe] : pipes_)
    for (const auto& end : pipe->sides)
      if (end.driven != nullptr) at = std::min(at, end.last.wake_at);
  if (at == MonoTime::max()) return std::nullopt;
  return at;
}

bool MemoryNetwork::advance() {
  SYMPHONY_ASSERT(manual_ != nullptr);
  if (step()) return true;
  if (idle_ && idle_()) return true;
  const auto at = next();
  if (!at) return false;
  manual_->advance_to(*at);
  return step();
}

bool MemoryNetwork::help() { return manual_ != nullptr && advance(); }

void MemoryNetwork::wait(MonoTime until) {
  const auto at = std::min(until, next().value_or(MonoTime::max()));
  std::unique_lock lock{mutex_};
  const auto ready = [&] {
    return interrupted_ || (!events_.empty() && events_.top().at <= clocks_.mono());
  };
  if (at == MonoTime::max())
    due_.wait(lock, [&] { return interrupted_ || !events_.empty(); });
  else
    due_.wait_until(lock, at, ready);
  interrupted_ = false;
}

void MemoryNetwork::interrupt() {
  const std::lock_guard lock{mutex_};
  interrupted_ = true;
  due_.notify_all();
}

MemoryPump::MemoryPump(MemoryNetwork& network)
    : network_(network), thread_([this] {
        while (!stopping_) {
          if (!network_.step()) network_.wait(MonoTime::max());
        }
      }) {}

MemoryPump::~MemoryPump() {
  stopping_ = true;
  network_.interrupt();
  thread_.join();
}

}  // namespace symphony::runtime
