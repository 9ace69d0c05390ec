// The asks of one connection that have no answer yet.
//
// A pure core: it neither knows the time nor calls anybody. Not thread-safe.
// Deadlines are coarse: an ask expires up to kDeadlineTick late, so that the table is looked
// through at most once a tick, however many deadlines there are.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "messages/envelope.hpp"
#include "messages/ref.hpp"

namespace symphony::runtime {

struct PendingAsk {
  AskDone done;
  Deadline deadline = kNoDeadline;
  std::uint64_t protocol = 0;
  std::uint16_t method = 0;
};

class PendingTable {
 public:
  static constexpr std::chrono::milliseconds kDeadlineTick{2};

  // REQUIRES: max_asks < 2^20.
  explicit PendingTable(std::size_t max_asks);

  [[nodiscard]] bool full() const noexcept { return size_ == max_asks_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

  // Gives the correlation: never 0, and not given again for 2^44 asks. REQUIRES: !full().
  std::uint64_t add(PendingAsk ask);
  // Removes and gives the ask with this correlation, if it is there.
  std::optional<PendingAsk> take(std::uint64_t correlation);
  // Removes and gives all whose deadline is not after `now`.
  std::vector<PendingAsk> take_expired(Deadline now);
  std::vector<PendingAsk> take_all();
  // When to call take_expired() next: not after the first deadline and a tick.
  [[nodiscard]] Deadline wake_at() const noexcept { return wake_at_; }

 private:
  static constexpr unsigned kSlotBits = 20;
  static constexpr std::uint64_t kSlotMask = (std::uint64_t{1} << kSlotBits) - 1;

  struct Slot {
    std::uint64_t correlation = 0;  // 0: free
    std::optional<PendingAsk> ask;
  };
  PendingAsk release(std::size_t slot);

  std::size_t max_asks_;
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_;
  std::size_t size_ = 0;
  std::uint64_t next_sequence_ = 1;
  Deadline wake_at_ = kNoDeadline;
};

}  // namespace symphony::runtime
