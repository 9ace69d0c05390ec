// How many bytes may be held at a time, by all who take from one budget.
//
// Who does not get what he wants stands in line and is called when it is his turn: by then the
// bytes are kept for him, so nobody starves and whoever comes later waits behind him. One who wants
// more than there ever is gets it when nobody else has anything.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

namespace symphony::runtime {

// The pure core. Not thread-safe.
class ByteBudget {
 public:
  using Taker = std::uint64_t;

  explicit ByteBudget(std::size_t max_bytes) noexcept : max_bytes_(max_bytes) {}

  // True: he has them. False: he stands in line; to be asked again, with as many bytes, when
  // give_back() or leave() has named him. REQUIRES: he stands in line for nothing else.
  [[nodiscard]] bool take(Taker who, std::size_t bytes);
  // Has them whatever the limit says.
  void insist(std::size_t bytes) noexcept { held_bytes_ += bytes; }
  // Each gives those whose turn it is. REQUIRES: they were taken.
  [[nodiscard]] std::vector<Taker> give_back(std::size_t bytes);
  // `who` wants nothing any more; what he has taken he still has to give back.
  [[nodiscard]] std::vector<Taker> leave(Taker who);

  // Taken, and kept for those who were named.
  [[nodiscard]] std::size_t held_bytes() const noexcept { return held_bytes_; }
  [[nodiscard]] bool anybody_waits() const noexcept { return !line_.empty(); }

 private:
  struct Waiting {
    Taker who;
    std::size_t bytes;
  };
  [[nodiscard]] bool fits(std::size_t bytes) const noexcept {
    return held_bytes_ == 0 || (held_bytes_ <= max_bytes_ && bytes <= max_bytes_ - held_bytes_);
  }
  std::vector<Taker> serve();

  const std::size_t max_bytes_;
  std::size_t held_bytes_ = 0;
  std::deque<Waiting> line_;
  std::map<Taker, std::size_t> kept_;
};

// One that stopped because a budget was used up. Any thread may call it; it must not call back.
class Paused {
 public:
  virtual ~Paused() = default;
  virtual void resume() noexcept = 0;
};

// What all connections of a node hold of requests that came in and are not done with. A part is
// for small frames alone, so that a node whose memory is full of large ones still answers those
// who only ask how it is. Thread-safe.
class InboundBudget {
 public:
  using Taker = ByteBudget::Taker;
  static constexpr std::size_t kSmallBytes = std::size_t{16} << 10;

  explicit InboundBudget(std::size_t max_bytes)
      : budgets_{ByteBudget{max_bytes / 4}, ByteBudget{max_bytes - max_bytes / 4}} {}

  // As ByteBudget; `paused` is called when it is to be asked again.
  [[nodiscard]] bool take(Taker who, std::size_t bytes, std::weak_ptr<Paused> paused);
  void insist(std::size_t bytes);
  void give_back(std::size_t bytes);
  void leave(Taker who);

  [[nodiscard]] std::size_t held_bytes() const;
  [[nodiscard]] bool anybody_waits() const;

 private:
  [[nodiscard]] ByteBudget& budget_for(std::size_t bytes) noexcept {
    return budgets_[bytes <= kSmallBytes ? 0 : 1];
  }
  // REQUIRES: the lock. Those to be called once it is released.
  std::vector<std::weak_ptr<Paused>> take_out(const std::vector<Taker>& named);

  mutable std::mutex mutex_;
  std::array<ByteBudget, 2> budgets_;  // of small frames, and of large ones
  std::map<Taker, std::weak_ptr<Paused>> waiting_;
};

}  // namespace symphony::runtime
