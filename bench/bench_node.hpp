// The part of a node that components need, for benchmarks: production clocks, threads, telemetry
// and log, without storage, link and boot tree.
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

namespace symphony::bench {

class BenchNode {
 public:
  // `threads` 0: one a core.
  explicit BenchNode(std::size_t threads = 0)
      : log_(clocks_, {.node = "bench"}),
        blocking_(clocks_, {.name = "blocking", .threads = 1, .queue_max = 100}),
        services_{clocks_,    random_,   ticker_,       blocking_, log_,
                  telemetry_, registry_, dead_letters_, fences_,   std::chrono::seconds(30)},
        actors_({.threads = threads}),
        asker_(std::make_unique<runtime::ThreadAsker>(actors_.system(), services_)) {}

  ~BenchNode() {
    for (auto& child : children_) {
      Ref<protocol::Component> life{*asker_,
                                    std::make_unique<runtime::SlotTarget>("", child.address)};
      (void)life.stop().get();
    }
    registry_.clear();
    children_.clear();
    asker_.reset();
    actors_.abandon_actors();
  }

  // Makes a component and brings it to ready; gives it its name.
  void spawn(const std::string& name, runtime::ComponentFactory make,
             std::size_t mailbox_max = 100'000) {
    auto spawned = runtime::spawn_component(
        actors_.system(), services_, {name, "under load", std::move(make), mailbox_max}, 1, [] {});
    Ref<protocol::Component> life{*asker_,
                                  std::make_unique<runtime::SlotTarget>(name, spawned.address)};
    SYMPHONY_ASSERT(life.prepare().get().ok());
    SYMPHONY_ASSERT(life.start().get().ok());
    registry_.slot(name)->set(spawned.address);
    children_.push_back(std::move(spawned));
  }

  runtime::ThreadAsker& asker() noexcept { return *asker_; }
  runtime::DeadLetters& dead_letters() noexcept { return dead_letters_; }
  caf::actor_system& system() noexcept { return actors_.system(); }

 private:
  runtime::SystemClocks clocks_;
  runtime::SystemRandom random_;
  runtime::ThreadTicker ticker_;
  runtime::Log log_;
  runtime::TelemetryRegistry telemetry_;
  runtime::Registry registry_;
  runtime::DeadLetters dead_letters_;
  runtime::Fences fences_;
  runtime::PoolBlocking blocking_;
  runtime::Services services_;
  runtime::ActorRuntime actors_;
  std::unique_ptr<runtime::ThreadAsker> asker_;
  std::vector<runtime::Spawned> children_;
};

}  // namespace symphony::bench
