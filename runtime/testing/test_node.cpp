#include "runtime/testing/test_node.hpp"

#include <caf/actor_system.hpp>
#include <caf/exit_reason.hpp>
#include <caf/send.hpp>

#include <algorithm>
#include <utility>

namespace symphony::runtime {
namespace {

// More messages than this without time passing is a livelock.
constexpr std::size_t kSettleStepsMax = 10'000'000;

}  // namespace

TestNode::TestNode(std::uint64_t seed)
    : random_(seed),
      order_(seed),
      shuffled_(seed != 0),
      ticker_(clocks_),
      log_(clocks_, {.node = "test"}),
      services_{clocks_,    random_,   ticker_,       blocking_, log_,
                telemetry_, registry_, dead_letters_, fences_,   std::chrono::seconds(5)},
      actors_({.deterministic = true}) {
  asker_ = new_asker();
}

std::unique_ptr<ThreadAsker> TestNode::new_asker() {
  return std::make_unique<ThreadAsker>(
      actors_.system(), services_,
      [this](const std::function<bool()>& ready, Deadline deadline) { pump(ready, deadline); });
}

TestNode::~TestNode() {
  for (auto& [name, child] : children_) {
    child.ref.reset();
    caf::anon_send_exit(caf::actor_cast<caf::actor>(child.spawned.address.actor),
                        caf::exit_reason::kill);
    child.spawned.address = {};
  }
  settle();
  registry_.clear();
  children_.clear();
  asker_.reset();
  settle();
  actors_.abandon_actors();
}

bool TestNode::run_one() {
  if (!shuffled_) return actors_.run_one();
  return actors_.run_one([this](std::size_t n) { return order_.below(n); });
}

void TestNode::settle() {
  for (std::size_t steps = 0; run_one(); ++steps) SYMPHONY_ASSERT(steps < kSettleStepsMax);
}

void TestNode::advance(Nanos by) {
  const MonoTime until = clocks_.mono() + by;
  settle();
  for (auto next = ticker_.next_wake(); next && *next <= until; next = ticker_.next_wake()) {
    clocks_.advance_to(*next);
    ticker_.fire_due();
    settle();
  }
  clocks_.advance_to(until);
}

void TestNode::pump(const std::function<bool()>& ready, Deadline deadline) {
  while (!ready()) {
    if (run_one()) continue;
    const auto next = ticker_.next_wake();
    if (!next || *next > deadline) break;
    clocks_.advance_to(*next);
    ticker_.fire_due();
  }
  if (!ready()) clocks_.advance_to(deadline);
}

void TestNode::spawn(const std::string& name, ComponentFactory make, std::size_t mailbox_max) {
  const Status status = try_spawn({name, "under test", std::move(make), mailbox_max});
  if (!status) std::fprintf(stderr, "%s\n", to_string(status.error()).c_str());
  SYMPHONY_ASSERT(status.ok());
}

Status TestNode::try_spawn(ComponentSpec spec) {
  Child child;
  auto spawned = spawn_component(actors_.system(), services_,
                                 std::make_shared<const ComponentSpec>(spec), ++spawned_, [] {});
  if (!spawned) return spawned.error();
  child.spawned = std::move(spawned).value();
  child.ref = std::make_unique<WaitingRef<protocol::Component>>(
      *asker_, std::make_unique<LocalTarget>(spec.name, child.spawned.address));
  const auto prepared = child.ref->prepare().get();
  if (!prepared) return prepared.error();
  const auto started = child.ref->start().get();
  if (!started) return started.error();
  child.spawned.entry->set(child.spawned.address);
  children_.insert_or_assign(spec.name, std::move(child));
  return {};
}

Status TestNode::supervise(SupervisorSpec spec, std::vector<ChildPlan> children) {
  return try_spawn(
      supervisor_plan(std::move(spec), std::move(children), {}, "under test").component);
}

Status TestNode::stop(const std::string& name) {
  auto found = children_.find(name);
  SYMPHONY_ASSERT(found != children_.end());
  auto& child = found->second;
  const auto drained = child.ref->drain().get();
  if (!drained) return drained.error();
  const auto stopped = child.ref->stop().get();
  if (!stopped) return stopped.error();
  settle();
  return {};
}

bool TestNode::lives(const std::string& name) {
  const auto entry = registry_.find(name);
  return entry != nullptr && entry->current().first;
}

}  // namespace symphony::runtime
