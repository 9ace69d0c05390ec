// The asks of one actor that have no answer yet: a slab, so that an ask allocates nothing but its
// continuation and an answer finds it by index. Not thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "messages/ref.hpp"
#include "runtime/time/timer_wheel.hpp"

namespace symphony::runtime {

// What a handler hands down to everything it asks: when its own answer is due, and its trace.
struct Inherited {
  Deadline deadline = kNoDeadline;
  TraceContext trace;
};

struct PendingAsk {
  AskDone done;
  Inherited inherited;
  std::uint64_t receiver = 0;  // the actor that was asked
  TimerHandle timer = {};
};

class PendingAsks {
 public:
  // How many asks of one component may wait for their answers.
  static constexpr std::uint32_t kAsksMax = 1u << 22;

  bool full() const noexcept { return free_.empty() && slots_.size() >= kAsksMax; }
  std::size_t size() const noexcept { return slots_.size() - free_.size(); }

  // The id under which it can be taken: never 0, fits in 60 bits, not given twice in 2^36 reuses.
  // REQUIRES: !full().
  std::uint64_t add(PendingAsk ask) {
    std::uint32_t index;
    if (free_.empty()) {
      index = static_cast<std::uint32_t>(slots_.size());
      slots_.emplace_back();
    } else {
      index = free_.back();
      free_.pop_back();
    }
    Entry& entry = slots_[index];
    entry.ask.emplace(std::move(ask));
    return id_of(entry.generation, index);
  }

  PendingAsk* find(std::uint64_t id) noexcept {
    const auto index = static_cast<std::uint32_t>(id & kIndexMask);
    if (index >= slots_.size()) return nullptr;
    Entry& entry = slots_[index];
    if (!entry.ask || id_of(entry.generation, index) != id) return nullptr;
    return &*entry.ask;
  }

  // The ids of all that was asked of this actor. Linear in the most that ever waited.
  std::vector<std::uint64_t> of_receiver(std::uint64_t receiver) const {
    std::vector<std::uint64_t> ids;
    for (std::uint32_t index = 0; index < slots_.size(); ++index)
      if (slots_[index].ask && slots_[index].ask->receiver == receiver)
        ids.push_back(id_of(slots_[index].generation, index));
    return ids;
  }

  std::optional<PendingAsk> take(std::uint64_t id) {
    if (find(id) == nullptr) return std::nullopt;
    const auto index = static_cast<std::uint32_t>(id & kIndexMask);
    Entry& entry = slots_[index];
    std::optional<PendingAsk> ask = std::move(entry.ask);
    entry.ask.reset();
    entry.generation = (entry.generation + 1) & kGenerationMask;
    if (entry.generation == 0) entry.generation = 1;
    free_.push_back(index);
    return ask;
  }

 private:
  static constexpr unsigned kIndexBits = 24;
  static constexpr std::uint64_t kIndexMask = (1u << kIndexBits) - 1;
  static constexpr std::uint64_t kGenerationMask = (std::uint64_t{1} << 36) - 1;

  struct Entry {
    std::optional<PendingAsk> ask;
    std::uint64_t generation = 1;
  };

  static std::uint64_t id_of(std::uint64_t generation, std::uint32_t index) noexcept {
    return (generation << kIndexBits) | index;
  }

  std::vector<Entry> slots_;
  std::vector<std::uint32_t> free_;
};

}  // namespace symphony::runtime
