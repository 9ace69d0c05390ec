// Which events of a run may be shown: a node is told to be done once no crash can undo it, that is
// once the journal has it on disk.
//
// Pure; not thread-safe. Events are known by their numbers (event_ring.hpp); "before" is exclusive.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

namespace symphony::actors {

class JournalledEvents {
 public:
  // The events before `end` tell of nothing but what the DAG tracker knows.
  void told(std::uint64_t end) noexcept {
    told_ = std::max(told_, end);
    ++batches_;
  }
  // Events without a batch of their own, while none is under way: they are as safe as those before.
  void no_more(std::uint64_t end) noexcept { told_ = std::max(told_, end); }
  // The run is over, or all of it is known to be durable.
  void all(std::uint64_t end) noexcept {
    shown_ = told_ = std::max(told_, end);
    durable_batches_ = batches_;
  }

  // Whether something has to become durable before all that was told may be shown.
  bool behind() noexcept {
    if (batches_ == durable_batches_) shown_ = told_;
    return shown_ != told_;
  }
  bool asking() const noexcept { return asked_.has_value(); }
  // REQUIRES: behind(), not asking().
  void ask() noexcept { asked_ = Asked{batches_, told_}; }
  // REQUIRES: asking().
  void answer(bool durable) noexcept {
    if (durable) {
      durable_batches_ = std::max(durable_batches_, asked_->batches);
      shown_ = std::max(shown_, asked_->told);
    }
    asked_.reset();
  }

  // Events before this one may be shown.
  std::uint64_t shown() const noexcept { return shown_; }

 private:
  struct Asked {
    std::uint64_t batches = 0;
    std::uint64_t told = 0;
  };
  std::uint64_t told_ = 1;
  std::uint64_t shown_ = 1;
  std::uint64_t batches_ = 0;
  std::uint64_t durable_batches_ = 0;
  std::optional<Asked> asked_;
};

}  // namespace symphony::actors
