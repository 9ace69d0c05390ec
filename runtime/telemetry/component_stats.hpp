// What a component shows of itself while it works, readable by any thread at any time.
//
// The component (one thread at a time) writes counters, histograms and the mark of the handler it
// is in; senders on any thread count what they put into the mailbox and what was refused.
// Everything of the hot path is a relaxed atomic; texts (errors, state line) are behind a mutex
// that only error paths and readers take.
//
// One ComponentStats belongs to one incarnation. Its successor begins with what it had counted
// (`continue_from`), so that a fenced incarnation that wakes up again writes where nobody looks.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "messages/result.hpp"
#include "runtime/telemetry/histogram.hpp"
#include "runtime/time/clocks.hpp"

namespace symphony::runtime {

struct ErrorNote {
  std::int64_t wall_ns = 0;
  Errc code = Errc::INTERNAL;
  std::string text;
};

// What a component is in the middle of: a handler, a continuation or a timer.
struct RunningHandler {
  std::uint32_t method;  // ordinal in the component's protocol, or ComponentStats::kNoMethod
  MonoTime since;
};

struct ComponentSnapshot {
  std::string name;
  std::int64_t mailbox_depth = 0;
  std::uint64_t processed = 0;  // handlers that ended, failed ones included
  std::uint64_t refused = 0;    // sends that met a full mailbox
  std::uint64_t failed = 0;     // handlers that answered with an error or threw
  std::uint64_t dropped = 0;    // accepted, but its deadline passed or its sender gave up before
  std::uint64_t restarts = 0;
  std::optional<RunningHandler> running;
  MonoTime last_progress;         // the end of what ran last, or the birth of the incarnation
  HistogramSnapshot waiting_ns;   // in the mailbox
  HistogramSnapshot handling_ns;  // in the handler
  std::vector<ErrorNote> errors;  // oldest first
  std::string state_line;
};

class ComponentStats {
 public:
  static constexpr std::size_t kErrorsMax = 8;
  static constexpr std::uint32_t kNoMethod = 0xffff;  // of RunningHandler: no message's handler
  static constexpr std::size_t kTextMaxBytes = 500;   // longer texts are cut

  ComponentStats(std::string name, MonoTime born, std::uint32_t incarnation = 0);
  ComponentStats(const ComponentStats&) = delete;
  ComponentStats& operator=(const ComponentStats&) = delete;

  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  // As its supervisor counts; unlike `restarts` it begins anew with a new supervisor.
  [[nodiscard]] std::uint32_t incarnation() const noexcept { return incarnation_; }

  // ---- any thread
  void message_enqueued() noexcept { shared_.depth.fetch_add(1, std::memory_order_relaxed); }
  void message_refused() noexcept { shared_.refused.fetch_add(1, std::memory_order_relaxed); }
  void note_error(std::int64_t wall_ns, Errc code, std::string_view text);
  void set_state_line(std::string_view text);
  [[nodiscard]] ComponentSnapshot snapshot() const;

  // What health looks at, without the cost of a snapshot.
  [[nodiscard]] std::int64_t mailbox_depth() const noexcept {
    return shared_.depth.load(std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t processed() const noexcept {
    return processed_.load(std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t restarts() const noexcept {
    return restarts_.load(std::memory_order_relaxed);
  }
  [[nodiscard]] MonoTime last_progress() const noexcept {
    return MonoTime{Nanos{last_progress_ns_.load(std::memory_order_relaxed)}};
  }
  [[nodiscard]] std::optional<RunningHandler> running() const noexcept;

  // ---- the component's own thread
  void message_dequeued() noexcept { shared_.depth.fetch_sub(1, std::memory_order_relaxed); }
  void handler_began(std::uint32_t method, MonoTime now) noexcept {
    // Release, so that who reads this method no longer reads the time of the handler before it.
    method_.store(method, std::memory_order_release);
    began_ns_.store(ns_of(now), std::memory_order_release);
  }
  // `waited`: between enqueueing and `began`. Negative durations count as 0.
  void handler_ended(MonoTime began, MonoTime now, Nanos waited, bool failed) {
    began_ns_.store(kIdle, std::memory_order_release);
    waiting_.record(non_negative(waited));
    handling_.record(non_negative(now - began));
    bump(processed_);
    if (failed) bump(failed_);
    last_progress_ns_.store(ns_of(now), std::memory_order_relaxed);
  }
  // Work that is no message of its protocol: a step of its life, a continuation, a timer, the end
  // of blocking work. Seen by health, counted nowhere.
  void work_began(MonoTime now) noexcept { handler_began(kNoMethod, now); }
  void work_ended(MonoTime now) noexcept {
    began_ns_.store(kIdle, std::memory_order_release);
    last_progress_ns_.store(ns_of(now), std::memory_order_relaxed);
  }
  void message_dropped(MonoTime now) noexcept {
    bump(dropped_);
    last_progress_ns_.store(ns_of(now), std::memory_order_relaxed);
  }
  // Takes over all counters of a predecessor, plus one restart. Before any recording.
  void continue_from(const ComponentSnapshot& predecessor);

 private:
  static constexpr std::int64_t kIdle = 0;
  using Counter = std::atomic<std::uint64_t>;

  static std::int64_t ns_of(MonoTime at) noexcept { return Nanos{at.time_since_epoch()}.count(); }
  static std::uint64_t non_negative(Nanos span) noexcept {
    return span.count() < 0 ? 0 : static_cast<std::uint64_t>(span.count());
  }
  static void bump(Counter& counter) noexcept {
    counter.store(counter.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }

  // Senders write here: on a line of its own, so that they do not slow the component down.
  struct alignas(64) Shared {
    std::atomic<std::int64_t> depth{0};
    Counter refused{0};
  };

  const std::string name_;
  const std::uint32_t incarnation_;
  Shared shared_;
  alignas(64) std::atomic<std::int64_t> began_ns_{kIdle};
  std::atomic<std::uint32_t> method_{0};
  std::atomic<std::int64_t> last_progress_ns_;
  Counter processed_{0};
  Counter failed_{0};
  Counter dropped_{0};
  Counter restarts_{0};
  HistogramOnUse waiting_;
  HistogramOnUse handling_;

  mutable std::mutex text_mutex_;
  std::vector<ErrorNote> errors_;  // takes no memory until there is one
  std::string state_line_;
};

}  // namespace symphony::runtime
