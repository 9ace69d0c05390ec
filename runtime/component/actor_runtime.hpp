// CAF's actor system, configured the one way Symphony uses it.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

namespace caf {
class actor_system;
}

namespace symphony::runtime {

// With fewer workers one handler that is stuck would be half of them.
inline constexpr std::size_t kThreadsMin = 4;

struct ActorRuntimeOptions {
  std::size_t threads = 0;       // workers; 0: one a core, at least kThreadsMin
  std::size_t throughput = 300;  // messages an actor handles before others get their turn
  bool deterministic = false;    // nothing runs but by run_one(): for tests and simulation
};

class ActorRuntime {
 public:
  explicit ActorRuntime(const ActorRuntimeOptions& options);
  // REQUIRES: every actor has ended, or never will (see abandon_actors).
  ~ActorRuntime();
  ActorRuntime(const ActorRuntime&) = delete;
  ActorRuntime& operator=(const ActorRuntime&) = delete;

  caf::actor_system& system() noexcept;
  std::size_t threads() const noexcept;

  // The destructor will not wait for actors that still live.
  void abandon_actors();

  // Deterministic only: lets one actor handle one message. False when none has anything to do.
  // `pick(n)` chooses which of n actors, in [0, n); empty: the one that waits longest.
  bool run_one(const std::function<std::size_t(std::size_t)>& pick = {});

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace symphony::runtime
