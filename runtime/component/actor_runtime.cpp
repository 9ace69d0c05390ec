#include "runtime/component/actor_runtime.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/scheduler/test_coordinator.hpp>

#include <algorithm>
#include <thread>

#include "messages/result.hpp"

namespace symphony::runtime {

struct ActorRuntime::Impl {
  explicit Impl(const ActorRuntimeOptions& options)
      : threads(options.threads != 0
                    ? options.threads
                    : std::max<std::size_t>(std::thread::hardware_concurrency(), kThreadsMin)) {
    // "sharing": a foreign thread's ask takes 25 us against 100 with "stealing", whose idle workers
    // sleep between their attempts to steal.
    config.set("scheduler.policy",
               options.deterministic ? caf::atom("testing") : caf::atom("sharing"));
    config.set("scheduler.max-threads", threads);
    config.set("scheduler.max-throughput", options.throughput);
    config.set("logger.verbosity", caf::atom("quiet"));
    system = std::make_unique<caf::actor_system>(config);
    if (options.deterministic)
      coordinator = &dynamic_cast<caf::scheduler::test_coordinator&>(system->scheduler());
  }

  std::size_t threads;
  caf::actor_system_config config;
  std::unique_ptr<caf::actor_system> system;
  caf::scheduler::test_coordinator* coordinator = nullptr;
};

ActorRuntime::ActorRuntime(const ActorRuntimeOptions& options)
    : impl_(std::make_unique<Impl>(options)) {}

ActorRuntime::~ActorRuntime() = default;

caf::actor_system& ActorRuntime::system() noexcept { return *impl_->system; }

std::size_t ActorRuntime::threads() const noexcept { return impl_->threads; }

void ActorRuntime::abandon_actors() { impl_->system->await_actors_before_shutdown(false); }

bool ActorRuntime::run_one(const std::function<std::size_t(std::size_t)>& pick) {
  SYMPHONY_ASSERT(impl_->coordinator != nullptr);
  auto& jobs = impl_->coordinator->jobs;
  if (jobs.empty()) return false;
  if (pick) {
    const auto chosen = static_cast<std::ptrdiff_t>(pick(jobs.size()));
    std::rotate(jobs.begin(), jobs.begin() + chosen, jobs.begin() + chosen + 1);
  }
  impl_->coordinator->run_once();
  return true;
}

}  // namespace symphony::runtime
