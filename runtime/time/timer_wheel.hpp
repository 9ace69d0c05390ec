// Timers by the million, cheap enough for one per ask.
//
// Nearly every timer is cancelled before it fires (the answer came), so arming and cancelling must
// cost nanoseconds while firing may be coarse. This is the hierarchical timing wheel of Varghese
// and Lauck ("Hashed and Hierarchical Timing Wheels", SOSP 1987, scheme 7): levels of 64 slots,
// each level 64 times coarser than the one below. A timer hangs in the level of the highest 6-bit
// digit in which its tick differs from the current one and moves down when its slot's time comes. A
// bitmap for each level finds the next occupied slot without walking, so that idle time costs
// nothing.
//
// Pure: the time is an argument. Not thread-safe: a wheel belongs to one actor.
//   - Time is cut into ticks of kTickNs (default 10 ms). A timer fires at the first tick that is
//   not
//     before its deadline: never early, at most one tick late (plus the lateness of advance()).
//     A deadline that has passed fires at the next tick.
//   - Timers fire in the order of their ticks, those of one tick in the order in which they were
//   armed.
//   - Nodes live in a slab and are reused; handles carry a generation, so that a handle whose timer
//     has fired or was cancelled is harmless. Nothing is allocated once the slab has grown to the
//     largest number of timers pending at a time, and each level is made when it is first used.
#pragma once

#include <array>
#include <bit>
#include <chrono>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "messages/result.hpp"
#include "runtime/time/clocks.hpp"

namespace symphony::runtime {

// Names a pending timer of one wheel. A default-made handle names none.
struct TimerHandle {
  std::uint32_t index = std::numeric_limits<std::uint32_t>::max();
  std::uint32_t generation = 0;

  explicit operator bool() const noexcept {
    return index != std::numeric_limits<std::uint32_t>::max();
  }
  friend bool operator==(const TimerHandle&, const TimerHandle&) = default;
};

// Payload: what comes back when the timer fires; default-constructible and cheap to move.
template <class Payload = std::uint64_t, std::int64_t kTickNs = 10'000'000>
class TimerWheel {
  static_assert(kTickNs > 0);

 public:
  static constexpr Nanos kTick{kTickNs};
  static constexpr std::uint32_t kDefaultTimersMax = 1u << 22;

  // `epoch`: the present; ticks are counted from it. `timers_max`: how many may be pending at a
  // time.
  explicit TimerWheel(MonoTime epoch, std::uint32_t timers_max = kDefaultTimersMax)
      : epoch_(epoch), timers_max_(timers_max) {}

  // The handle is empty when `timers_max` timers are pending already.
  [[nodiscard]] TimerHandle arm(MonoTime deadline, Payload payload) {
    const std::uint32_t index = take_node();
    if (index == kNone) [[unlikely]]
      return {};
    Node& node = nodes_[index];
    node.payload = std::move(payload);
    node.tick = tick_not_before(deadline);
    if (node.tick <= now_tick_) node.tick = now_tick_ + 1;
    hang(index);
    ++pending_;
    return {index, node.generation};
  }

  // The timer's payload, or nothing when it has fired or was cancelled before.
  std::optional<Payload> cancel(TimerHandle handle) {
    if (!is_pending(handle)) return std::nullopt;
    unhang(handle.index);
    return release(handle.index);
  }

  [[nodiscard]] bool is_pending(TimerHandle handle) const noexcept {
    return handle.index < nodes_.size() && nodes_[handle.index].slot != kFree &&
           nodes_[handle.index].generation == handle.generation;
  }

  // Fires what is due: calls fn(Payload&&) for each. `fn` may arm and cancel; what it arms fires at
  // a later tick. A `now` before an earlier one is ignored.
  template <class Fn>
  void advance(MonoTime now, Fn&& fn) {
    const std::uint64_t target = tick_reached(now);
    while (occupied_levels_ != 0) {
      const unsigned level = lowest_level();
      const std::uint64_t due = slot_tick(level);
      if (due > target) break;
      now_tick_ = due;
      if (level == 0)
        fire_slot(static_cast<std::uint16_t>(due & kSlotMask), fn);
      else
        move_down(level, due);
    }
    if (target > now_tick_) now_tick_ = target;
  }

  // When advance() must be called next, or nothing when no timer is pending. Never later than the
  // tick at which the first timer fires; earlier when timers have to move down a level before.
  [[nodiscard]] std::optional<MonoTime> next_deadline() const noexcept {
    if (occupied_levels_ == 0) return std::nullopt;
    const std::uint64_t tick = slot_tick(lowest_level());
    const auto ahead_max = static_cast<std::uint64_t>((MonoTime::max() - epoch_).count() / kTickNs);
    if (tick >= ahead_max) return MonoTime::max();
    return epoch_ + Nanos{static_cast<std::int64_t>(tick) * kTickNs};
  }

  [[nodiscard]] std::size_t size() const noexcept { return pending_; }
  [[nodiscard]] bool empty() const noexcept { return pending_ == 0; }

 private:
  static constexpr unsigned kSlotBits = 6;
  static constexpr unsigned kSlots = 1u << kSlotBits;
  static constexpr std::uint64_t kSlotMask = kSlots - 1;
  static constexpr unsigned kLevels = 11;  // 11 * 6 bits: every 64-bit tick has a level
  static constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();
  static constexpr std::uint16_t kFree = std::numeric_limits<std::uint16_t>::max();

  struct Node {
    std::uint64_t tick = 0;
    std::uint32_t previous = kNone;
    std::uint32_t next = kNone;  // in the slot's list, or in the list of free nodes
    std::uint32_t generation = 0;
    std::uint16_t slot = kFree;  // level * 64 + slot
    Payload payload{};
  };
  struct Slot {
    std::uint32_t first = kNone;
    std::uint32_t last = kNone;
  };
  struct Level {
    std::uint64_t occupied = 0;
    std::array<Slot, kSlots> slots{};
  };

  [[nodiscard]] std::uint64_t tick_not_before(MonoTime at) const noexcept {
    if (at <= epoch_) return 0;
    const auto ahead = static_cast<std::uint64_t>((at - epoch_).count());
    return (ahead + (kTickNs - 1)) / kTickNs;
  }
  [[nodiscard]] std::uint64_t tick_reached(MonoTime at) const noexcept {
    if (at <= epoch_) return 0;
    return static_cast<std::uint64_t>((at - epoch_).count()) / kTickNs;
  }

  [[nodiscard]] unsigned lowest_level() const noexcept {
    return static_cast<unsigned>(std::countr_zero(occupied_levels_));
  }

  // The tick at which the first occupied slot of a level begins. All occupied slots of a level lie
  // ahead of the current tick in the same turn of the wheel, so the lowest bit is the nearest.
  [[nodiscard]] std::uint64_t slot_tick(unsigned level) const noexcept {
    const unsigned shift = level * kSlotBits;
    const auto slot = static_cast<std::uint64_t>(std::countr_zero(levels_[level]->occupied));
    const unsigned turn = shift + kSlotBits;
    const std::uint64_t turn_start = turn >= 64 ? 0 : now_tick_ >> turn << turn;
    return turn_start | slot << shift;
  }

  std::uint32_t take_node() {
    if (free_ != kNone) {
      const std::uint32_t index = free_;
      free_ = nodes_[index].next;
      return index;
    }
    if (nodes_.size() >= timers_max_) return kNone;
    nodes_.emplace_back();
    return static_cast<std::uint32_t>(nodes_.size() - 1);
  }

  Payload release(std::uint32_t index) {
    Node& node = nodes_[index];
    node.slot = kFree;
    ++node.generation;
    node.next = free_;
    free_ = index;
    --pending_;
    return std::exchange(node.payload, Payload{});
  }

  void hang(std::uint32_t index) {
    Node& node = nodes_[index];
    const std::uint64_t differs = node.tick ^ now_tick_;
    const unsigned level =
        differs == 0 ? 0 : static_cast<unsigned>(std::bit_width(differs) - 1) / kSlotBits;
    const auto at = static_cast<unsigned>(node.tick >> (level * kSlotBits) & kSlotMask);
    if (!levels_[level]) [[unlikely]]
      levels_[level] = std::make_unique<Level>();
    Level& home = *levels_[level];
    Slot& slot = home.slots[at];
    node.slot = static_cast<std::uint16_t>(level * kSlots + at);
    node.next = kNone;
    node.previous = slot.last;
    (slot.last == kNone ? slot.first : nodes_[slot.last].next) = index;
    slot.last = index;
    home.occupied |= 1ULL << at;
    occupied_levels_ |= 1u << level;
  }

  void unhang(std::uint32_t index) noexcept {
    const Node& node = nodes_[index];
    const unsigned level = node.slot / kSlots;
    const unsigned at = node.slot % kSlots;
    Level& home = *levels_[level];
    Slot& slot = home.slots[at];
    (node.previous == kNone ? slot.first : nodes_[node.previous].next) = node.next;
    (node.next == kNone ? slot.last : nodes_[node.next].previous) = node.previous;
    if (slot.first != kNone) return;
    home.occupied &= ~(1ULL << at);
    if (home.occupied == 0) occupied_levels_ &= ~(1u << level);
  }

  // One timer at a time from the head, because `fn` may cancel the very next one.
  template <class Fn>
  void fire_slot(std::uint16_t at, Fn&& fn) {
    while (levels_[0]->slots[at].first != kNone) {
      const std::uint32_t index = levels_[0]->slots[at].first;
      unhang(index);
      fn(release(index));
    }
  }

  void move_down(unsigned level, std::uint64_t due) {
    Level& home = *levels_[level];
    const auto at = static_cast<unsigned>(due >> (level * kSlotBits) & kSlotMask);
    std::uint32_t index = std::exchange(home.slots[at], Slot{}).first;
    home.occupied &= ~(1ULL << at);
    if (home.occupied == 0) occupied_levels_ &= ~(1u << level);
    while (index != kNone) {
      const std::uint32_t next = nodes_[index].next;
      hang(index);
      index = next;
    }
  }

  MonoTime epoch_;
  std::uint64_t now_tick_ = 0;
  std::size_t pending_ = 0;
  std::uint32_t timers_max_;
  std::uint32_t free_ = kNone;
  std::uint32_t occupied_levels_ = 0;
  std::array<std::unique_ptr<Level>, kLevels> levels_;
  std::vector<Node> nodes_;
};

}  // namespace symphony::runtime
