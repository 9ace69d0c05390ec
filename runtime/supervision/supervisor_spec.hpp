// Supervision as data: which children, in what order, and what to do when one dies.
// Vocabulary and defaults follow Erlang/OTP's `supervisor`.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/time/clocks.hpp"

namespace symphony::runtime {

enum class ChildKind : std::uint8_t {
  kPermanent,  // always restarted
  kTransient,  // restarted when it failed; a normal exit means that its work is done
  kTemporary,  // never restarted
};

enum class Strategy : std::uint8_t {
  kOneForOne,   // restart the child that died
  kOneForAll,   // stop all others, then restart all
  kRestForOne,  // stop those that come later in the start order, then restart them with it
};

std::string_view to_string(ChildKind kind) noexcept;
std::string_view to_string(Strategy strategy) noexcept;

struct ChildSpec {
  std::string id;  // unique among its siblings
  ChildKind kind = ChildKind::kPermanent;
  // Siblings that must be ready (or finished) before this one starts, and that are stopped only
  // after this one is down. Siblings that do not need one another start and stop in parallel.
  std::vector<std::string> needs = {};
  Nanos prepare_timeout = std::chrono::seconds(5);
  Nanos start_timeout = std::chrono::seconds(5);  // from prepared to ready
  Nanos drain_timeout = std::chrono::seconds(3);
  Nanos stop_timeout = std::chrono::seconds(2);  // after draining
};

// More than `restarts_max` restarts within `window`: the supervisor gives up and fails itself.
struct RestartIntensity {
  std::uint32_t restarts_max = 5;
  Nanos window = std::chrono::seconds(30);
};

// The n-th restart in a row waits min(initial * 2^(n-1), max), of which up to the share `jitter` is
// taken away at random, so that what died together does not come back together. A child that was
// ready for `reset_after` begins anew.
struct RestartBackoff {
  Nanos initial = std::chrono::milliseconds(10);
  Nanos max = std::chrono::seconds(10);
  double jitter = 0.5;  // 0 (none) to 1
  Nanos reset_after = std::chrono::seconds(30);
};

struct SupervisorSpec {
  std::string id;
  Strategy strategy = Strategy::kOneForOne;
  RestartIntensity intensity = {};
  RestartBackoff backoff = {};
  std::vector<ChildSpec> children = {};
};

}  // namespace symphony::runtime
