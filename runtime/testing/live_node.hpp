// The part of a node that components need, alive: production clocks, threads, blocking pool,
// telemetry and log, without storage, link and boot tree. For benchmarks, and for tests of what
// happens between threads; all others want a TestNode.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "messages/component.protocol.hpp"
#include "runtime/blocking/blocking.hpp"
#include "runtime/component/actor_runtime.hpp"
#include "runtime/component/fences.hpp"
#include "runtime/component/registry.hpp"
#include "runtime/component/services.hpp"
#include "runtime/component/spawn.hpp"
#include "runtime/component/thread_asker.hpp"
#include "runtime/ids/random.hpp"
#include "runtime/log/log.hpp"
#include "runtime/telemetry/telemetry_registry.hpp"
#include "runtime/time/clocks.hpp"
#include "runtime/time/ticker.hpp"

namespace symphony::runtime {

class LiveNode {
 public:
  // `threads` 0: one a core. `works_max`: how much blocking work may wait for the one thread.
  explicit LiveNode(std::size_t threads = 0, std::size_t works_max = 100)
      : log_(clocks_, {.node = "live"}),
        blocking_(clocks_, {.name = "blocking", .threads = 1, .queue_max = works_max}),
        services_{clocks_,    random_,   ticker_,       blocking_, log_,
                  telemetry_, registry_, dead_letters_, fences_,   std::chrono::seconds(30)},
        actors_({.threads = threads}),
        asker_(std::make_unique<ThreadAsker>(actors_.system(), services_)) {}

  ~LiveNode() {
    for (auto& child : children_) {
      WaitingRef<protocol::Component> life{*asker_,
                                           std::make_unique<LocalTarget>("", child.address)};
      (void)life.stop().get();
    }
    registry_.clear();
    children_.clear();
    asker_.reset();
  }

  // Makes a component and brings it to ready; gives it its name.
  void spawn(const std::string& name, ComponentFactory make, std::size_t mailbox_max = 100'000) {
    auto spawned = spawn_component(actors_.system(), services_,
                                   std::make_shared<const ComponentSpec>(ComponentSpec{
                                       name, "under load", std::move(make), mailbox_max}),
                                   1, [] {})
                       .value();
    WaitingRef<protocol::Component> life{*asker_,
                                         std::make_unique<LocalTarget>(name, spawned.address)};
    SYMPHONY_ASSERT(life.prepare().get().ok());
    SYMPHONY_ASSERT(life.start().get().ok());
    spawned.entry->set(spawned.address);
    children_.push_back(std::move(spawned));
  }

  ThreadAsker& asker() noexcept { return *asker_; }
  DeadLetters& dead_letters() noexcept { return dead_letters_; }
  caf::actor_system& system() noexcept { return actors_.system(); }

 private:
  SystemClocks clocks_;
  SystemRandom random_;
  ThreadTicker ticker_;
  Log log_;
  TelemetryRegistry telemetry_;
  Registry registry_;
  DeadLetters dead_letters_;
  Fences fences_;
  PoolBlocking blocking_;
  Services services_;
  ActorRuntime actors_;
  std::unique_ptr<ThreadAsker> asker_;
  std::vector<Spawned> children_;
};

}  // namespace symphony::runtime
