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
#include "runtime/system/slab.hpp"

namespace symphony::runtime {

class PendingTable {
 public:
  struct Ask {
    AskDone done;
    Deadline deadline = kNoDeadline;
    std::uint64_t protocol = 0;
    std::uint16_t method = 0;
    std::uint64_t correlation = 0;  // given by add()
  };

  static constexpr std::chrono::milliseconds kDeadlineTick{2};

  // REQUIRES: max_asks <= Slab::kSizeMax.
  explicit PendingTable(std::size_t max_asks) : asks_(max_asks) {}

  [[nodiscard]] bool full() const noexcept { return asks_.full(); }
  [[nodiscard]] bool empty() const noexcept { return asks_.empty(); }
  [[nodiscard]] std::size_t size() const noexcept { return asks_.size(); }

  // Gives the correlation: an id of Slab. REQUIRES: !full().
  std::uint64_t add(Ask ask);
  // Removes and gives the ask with this correlation, if it is there.
  std::optional<Ask> take(std::uint64_t correlation);
  // Removes and gives all whose deadline is not after `now`.
  std::vector<Ask> take_expired(Deadline now);
  std::vector<Ask> take_all();
  // When to call take_expired() next: not after the first deadline and a tick.
  [[nodiscard]] Deadline wake_at() const noexcept { return wake_at_; }

 private:
  Slab<Ask> asks_;
  Deadline wake_at_ = kNoDeadline;
};

}  // namespace symphony::runtime
