// A node for tests: the real component runtime with everything that moves by itself taken out.
//
// One thread, virtual clocks, seeded ids and order, blocking work done inline. Nothing happens but
// by settle(), advance() and get(); the same seed gives the same history.
//
//     TestNode node;
//     node.spawn("/test/probe", [](Host& host) { return std::make_unique<Probe>(host); });
//     WaitingRef<protocol::Probe> probe{node.asker()};
//     auto answer = probe.echo([](auto r) { r.setText("hi"); }).get();
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "runtime/blocking/blocking.hpp"
#include "runtime/component/actor_runtime.hpp"
#include "runtime/component/fences.hpp"
#include "runtime/component/registry.hpp"
#include "runtime/component/services.hpp"
#include "runtime/component/spawn.hpp"
#include "runtime/component/spawner.hpp"
#include "runtime/component/thread_asker.hpp"
#include "runtime/ids/random.hpp"
#include "runtime/log/log.hpp"
#include "runtime/supervision/supervisor.hpp"
#include "runtime/telemetry/telemetry_registry.hpp"
#include "runtime/time/clocks.hpp"
#include "runtime/time/ticker.hpp"

namespace symphony::runtime {

class TestNode {
 public:
  // `seed` 0: actors run in the order in which they got something to do; else in a random one.
  explicit TestNode(std::uint64_t seed = 0);
  ~TestNode();

  const Services& services() const noexcept { return services_; }
  ManualClocks& clocks() noexcept { return clocks_; }
  Registry& registry() noexcept { return registry_; }
  TelemetryRegistry& telemetry() noexcept { return telemetry_; }
  DeadLetters& dead_letters() noexcept { return dead_letters_; }
  ThreadAsker& asker() noexcept { return *asker_; }
  // One more, which components tell from the first.
  std::unique_ptr<ThreadAsker> new_asker();
  caf::actor_system& system() noexcept { return actors_.system(); }

  // Makes a component and brings it to ready; a new one when the name was spawned before.
  // Aborts the test when a step fails: see try_spawn.
  void spawn(const std::string& name, ComponentFactory make, std::size_t mailbox_max = 1000);
  Status try_spawn(ComponentSpec spec);
  // The same for a supervisor and its children; its own deadlines are generous.
  Status supervise(SupervisorSpec spec, std::vector<ChildPlan> children);
  // Drains and stops one that was spawned here.
  Status stop(const std::string& name);
  // The newest incarnation that was spawned here under this name.
  Incarnation& incarnation(const std::string& name) { return *children_.at(name).spawned.life; }
  // Whether an incarnation answers to the name.
  bool lives(const std::string& name);

  // Lets one actor handle one message; false when none has anything to do.
  bool step() { return run_one(); }
  // Lets every actor handle all it has; virtual time stands still.
  void settle();
  // Lets virtual time pass, with everything that happens on the way.
  void advance(Nanos by);

 private:
  struct Child {
    Spawned spawned;
    std::unique_ptr<WaitingRef<protocol::Component>> ref;
  };
  bool run_one();
  void pump(const std::function<bool()>& ready, Deadline deadline);

  ManualClocks clocks_;
  SeededRandom random_;
  SeededRandom order_;
  const bool shuffled_;
  ManualTicker ticker_;
  InlineBlocking blocking_;
  Log log_;
  TelemetryRegistry telemetry_;
  Registry registry_;
  DeadLetters dead_letters_;
  Fences fences_;
  Services services_;
  ActorRuntime actors_;
  std::unique_ptr<ThreadAsker> asker_;
  std::map<std::string, Child> children_;
  std::uint32_t spawned_ = 0;
};

}  // namespace symphony::runtime
