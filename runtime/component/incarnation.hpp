// What outlives a component's actor: shared by the actor, the answers it owes and its supervisor.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "messages/component.capnp.h"
#include "messages/utf8.hpp"
#include "runtime/telemetry/component_stats.hpp"

namespace symphony::runtime {

// One life of a component. Thread-safe.
class Incarnation {
 public:
  Incarnation(std::string name, std::uint32_t number, std::shared_ptr<ComponentStats> stats)
      : name_(std::move(name)), number_(number), stats_(std::move(stats)) {}

  const std::string& name() const noexcept { return name_; }
  std::uint32_t number() const noexcept { return number_; }
  ComponentStats& stats() const noexcept { return *stats_; }

  // Fenced: given up by its supervisor while a thread was stuck in it. What it still says is
  // dropped, what was asked of it fails at its askers (Fences), and what it holds for its name is
  // let go of (on_fence); it ends once its handler returns.
  void fence();
  bool fenced() const noexcept { return fenced_.load(std::memory_order_acquire); }

  // Runs `release` at the fence, or now when it was fenced already; in place of one given before,
  // and never after its end.
  void on_fence(std::function<void()> release);

  // Draining or ending: new requests are refused.
  void close() noexcept { closed_.store(true, std::memory_order_release); }
  bool closed() const noexcept { return closed_.load(std::memory_order_acquire); }

  // Ended: its actor handles nothing any more.
  void end();
  bool ended() const noexcept { return ended_.load(std::memory_order_acquire); }

  // Finished: its component is destroyed too.
  void finish();
  bool finished() const noexcept { return finished_.load(std::memory_order_acquire); }
  // Runs `then` once it is finished, on whatever thread ends it, or now.
  void on_finish(std::function<void()> then);

  void set_state(messages::ComponentState state) noexcept {
    state_.store(state, std::memory_order_relaxed);
  }
  messages::ComponentState state() const noexcept { return state_.load(std::memory_order_relaxed); }

  // Why it ended, for people; empty: as it was asked to.
  void set_reason(std::string reason) {
    const std::lock_guard lock(mutex_);
    if (reason_.empty()) reason_ = valid_text(reason);
  }
  std::string reason() const {
    const std::lock_guard lock(mutex_);
    return reason_;
  }

 private:
  const std::string name_;
  const std::uint32_t number_;
  const std::shared_ptr<ComponentStats> stats_;
  std::atomic<bool> fenced_{false};
  std::atomic<bool> closed_{false};
  std::atomic<bool> ended_{false};
  std::atomic<bool> finished_{false};
  std::atomic<messages::ComponentState> state_{messages::ComponentState::CREATED};
  mutable std::mutex mutex_;
  std::string reason_;
  std::function<void()> release_;
  std::vector<std::function<void()>> followers_;  // what waits for it to be finished
};

}  // namespace symphony::runtime
