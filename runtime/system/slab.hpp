// Values by number, in the places of those that left: what waits for an answer, found by the
// number that comes back with it.
//
// Adding, finding and taking are O(1), and nothing is allocated once the slab has grown to the most
// it ever held at a time. An id is a place and how often that place was used: the id of a value
// that was taken finds nothing, however long it is kept. Not thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "messages/result.hpp"

namespace symphony::runtime {

template <class T>
class Slab {
 public:
  // The most values that any slab may hold at a time.
  static constexpr std::size_t kSizeMax = std::size_t{1} << 24;

  // REQUIRES: size_max <= kSizeMax.
  explicit Slab(std::size_t size_max) : size_max_(size_max) {
    SYMPHONY_ASSERT(size_max <= kSizeMax);
  }

  [[nodiscard]] std::size_t size() const noexcept { return places_.size() - free_.size(); }
  [[nodiscard]] bool empty() const noexcept { return size() == 0; }
  [[nodiscard]] bool full() const noexcept { return size() == size_max_; }

  // The id under which it can be found: never 0, fits in 60 bits, given again after 2^36 uses of
  // its place at the earliest. REQUIRES: !full().
  std::uint64_t add(T value) {
    SYMPHONY_ASSERT(!full());
    if (free_.empty()) {
      free_.push_back(static_cast<std::uint32_t>(places_.size()));
      places_.emplace_back();
    }
    const std::uint32_t index = free_.back();
    places_[index].value.emplace(std::move(value));
    free_.pop_back();
    return id_of(index);
  }

  // Null when it was taken. Valid until the slab is changed.
  T* find(std::uint64_t id) noexcept {
    const std::uint64_t index = id & kIndexMask;
    if (index >= places_.size() || !places_[index].value || id_of(index) != id) return nullptr;
    return &*places_[index].value;
  }

  // Removes and gives the value with this id, if it is there.
  std::optional<T> take(std::uint64_t id) {
    if (find(id) == nullptr) return std::nullopt;
    return release(id & kIndexMask);
  }

  // Removes and gives those for which `wanted(const T&)`. Linear in the most that it ever held.
  template <class Wanted>
  std::vector<T> take_if(Wanted&& wanted) {
    std::vector<T> taken;
    for (std::size_t index = 0; index < places_.size(); ++index)
      if (const auto& value = places_[index].value; value && wanted(*value))
        taken.push_back(release(index));
    return taken;
  }

  // Calls `fn(id, const T&)` for each; linear like take_if.
  template <class Fn>
  void each(Fn&& fn) const {
    for (std::size_t index = 0; index < places_.size(); ++index)
      if (const auto& value = places_[index].value) fn(id_of(index), *value);
  }

 private:
  static constexpr unsigned kIndexBits = 24;
  static constexpr std::uint64_t kIndexMask = (std::uint64_t{1} << kIndexBits) - 1;
  static constexpr std::uint64_t kUseMask = (std::uint64_t{1} << 36) - 1;

  struct Place {
    std::optional<T> value;
    std::uint64_t use = 1;  // never 0
  };

  std::uint64_t id_of(std::size_t index) const noexcept {
    return places_[index].use << kIndexBits | index;
  }

  T release(std::size_t index) {
    Place& place = places_[index];
    T value = std::move(*place.value);
    place.value.reset();
    place.use = place.use == kUseMask ? 1 : place.use + 1;
    free_.push_back(static_cast<std::uint32_t>(index));
    return value;
  }

  std::size_t size_max_;
  std::vector<Place> places_;
  std::vector<std::uint32_t> free_;
};

}  // namespace symphony::runtime
