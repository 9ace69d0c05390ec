// Who may use the node's cores and memory next.
//
// Several runs share one capacity. Each run queues requests; `grant` hands out what is free, and
// `release` gives it back. The sum of all grants never exceeds the capacity.
//
// - Between runs: weighted dominant resource fairness by progressive filling (Ghodsi et al.,
//   NSDI 2011, section 4.1 and algorithm 1; weights as in section 4.3). The next grant goes to the
//   run whose dominant share divided by its weight is lowest; among equals to the one that was
//   served longest ago.
// - Within a run: highest priority, then highest rank, then first come. When the first does not
//   fit, the next that fits is taken (backfilling), so cores do not idle behind a large request.
// - Against starvation of large requests: one that stood first in its run and was passed over by
//   `reserve_after_grants` grants gets a reservation, one at a time. From then on others are
//   granted only while all grants made since fit beside it; the earlier ones end some day, and
//   then it fits. This is EASY backfilling (Lifka 1995) without run-time estimates.
//   Nobody starves as long as grants are released and requests of higher priority in the same run
//   do not arrive for ever (a run is finite).
//
// Pure: `now_us` is any clock that does not go back. Not thread-safe: one owner. A grant costs
// O(open runs + log of queued requests); of different sizes of request in one run the best
// kMaxSizesScanned are looked at.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "messages/result.hpp"

namespace symphony::actors {

struct Resources {
  std::uint64_t millicores = 0;  // 1000 are one core
  std::uint64_t memory_bytes = 0;

  bool fits_into(const Resources& other) const noexcept {
    return millicores <= other.millicores && memory_bytes <= other.memory_bytes;
  }
  Resources& operator+=(const Resources& other) noexcept {
    millicores += other.millicores;
    memory_bytes += other.memory_bytes;
    return *this;
  }
  // REQUIRES: other.fits_into(*this).
  Resources& operator-=(const Resources& other) noexcept {
    millicores -= other.millicores;
    memory_bytes -= other.memory_bytes;
    return *this;
  }
  friend auto operator<=>(const Resources&, const Resources&) = default;
};

using RunKey = std::uint64_t;      // chosen by the owner
using RequestKey = std::uint64_t;  // chosen by the owner, unique within its run

struct ResourceRequest {
  RequestKey key = 0;
  Resources demand;
  std::int32_t priority = 0;  // higher first
  double rank = 0;            // among equal priorities, higher first
};

struct Grant {
  RunKey run = 0;
  RequestKey key = 0;
  Resources demand;
  std::int64_t waited_us = 0;
};

struct ArbiterLimits {
  std::size_t max_runs = 1'024;
  std::size_t max_queued = 2'000'000;  // over all runs
  std::uint32_t reserve_after_grants = 32;
};

inline constexpr std::uint32_t kMaxRunWeight = 1'000;
inline constexpr std::size_t kMaxSizesScanned = 64;

struct RunShare {
  RunKey run = 0;
  std::uint32_t weight = 1;
  Resources used;
  double dominant_share = 0;  // of the capacity, 0 … 1, not divided by the weight
  std::size_t queued = 0;
  std::size_t held = 0;              // grants not yet released
  std::uint64_t granted = 0;         // grants ever
  std::int64_t longest_wait_us = 0;  // of all grants ever and of what is queued now
  double share_us = 0;               // dominant share integrated over time
};

struct ArbiterSnapshot {
  Resources capacity;
  Resources used;
  std::vector<RunShare> runs;  // by key
  // Jain's index over share_us / weight of the runs that hold or want something: 1 is perfectly
  // fair, 1/n is one run having everything; 1 when fewer than two.
  double fairness = 1;
  std::optional<std::pair<RunKey, RequestKey>> reserved_for;
};

class Arbiter {
 public:
  explicit Arbiter(Resources capacity, ArbiterLimits limits = {});

  // `weight` 1 … kMaxRunWeight: a run of weight 2 gets twice the share of one of weight 1.
  // ALREADY_EXISTS, INVALID_ARGUMENT, or OVERLOADED beyond max_runs.
  Status open_run(RunKey run, std::uint32_t weight);

  // Queues a request. RESOURCE_EXHAUSTED at once when it is larger than the capacity (it could
  // never be granted), OVERLOADED (retryable) when the queue is full, ALREADY_EXISTS for a key
  // that is queued or held, NOT_FOUND for a run that is not open.
  Status request(RunKey run, const ResourceRequest& request, std::int64_t now_us);

  // Everything that may start now, in order.
  std::vector<Grant> grant(std::int64_t now_us);

  // Gives back what was granted. NOT_FOUND when it is not held.
  Status release(RunKey run, RequestKey key, std::int64_t now_us);

  // Takes back a request that is still queued. NOT_FOUND when it is not.
  Status withdraw(RunKey run, RequestKey key);

  // Drops all that the run has queued (the keys come back, ascending) and accepts nothing more
  // from it. What it holds counts until released; then the run is forgotten.
  Result<std::vector<RequestKey>> close_run(RunKey run);

  ArbiterSnapshot snapshot(std::int64_t now_us) const;
  const Resources& capacity() const noexcept { return capacity_; }
  const Resources& used() const noexcept { return used_; }
  std::size_t queued() const noexcept { return queued_; }

 private:
  // A queued request, ordered as its run wants to be served.
  struct Entry {
    std::int32_t priority;
    double rank;
    std::uint64_t arrival;
    RequestKey key;
    std::int64_t since_us;
    Resources demand;

    friend bool operator<(const Entry& a, const Entry& b) {
      if (a.priority != b.priority) return a.priority > b.priority;
      if (a.rank != b.rank) return a.rank > b.rank;
      return a.arrival < b.arrival;
    }
  };
  struct Held {
    Resources demand;
    std::uint64_t grant_number;
  };
  struct Run {
    std::uint32_t weight = 1;
    bool closed = false;
    Resources used;
    std::map<Resources, std::set<Entry>> by_size;
    std::set<Entry> heads;  // the first of each size
    std::unordered_map<RequestKey, Entry> queued;
    std::unordered_map<RequestKey, Held> held;
    std::uint64_t granted = 0;
    std::uint64_t last_grant = 0;
    RequestKey passed_over = 0;           // the head that did not fit …
    std::uint32_t times_passed_over = 0;  // … while this many others were granted
    std::int64_t longest_wait_us = 0;
    double share_us = 0;
    std::int64_t counted_until_us = 0;
  };
  struct Reservation {
    RunKey run;
    RequestKey key;
    Resources demand;
    std::uint64_t since_grant;  // grants with higher numbers are held to the rest
    Resources used_since;
  };

  Resources free() const noexcept;
  bool may_be_granted(const Resources& demand) const noexcept;
  double share(const Run& run) const noexcept;
  void count_time(Run& run, std::int64_t now_us) const;
  const Entry* best_fit(const Run& run) const;
  std::optional<std::pair<RunKey, Entry>> choose() const;
  void take(RunKey key, Run& run, const Entry& entry, std::int64_t now_us,
            std::vector<Grant>& grants);
  void note_passed_over();
  void reserve_if_due();
  void remove_queued(Run& run, const Entry& entry);
  void forget_reservation_of(RunKey run, std::optional<RequestKey> key);

  Resources capacity_;
  ArbiterLimits limits_;
  Resources used_;
  std::map<RunKey, Run> runs_;
  std::optional<Reservation> reservation_;
  std::size_t queued_ = 0;
  std::uint64_t arrivals_ = 0;
  std::uint64_t grants_ = 0;
};

}  // namespace symphony::actors
