#include "actors/bootstrap/health_checker.hpp"

#include <algorithm>
#include <utility>

#include "messages/supervisor.protocol.hpp"
#include "runtime/component/registry.hpp"
#include "runtime/component/services.hpp"
#include "runtime/telemetry/telemetry_registry.hpp"

namespace symphony::bootstrap {
namespace {

Observation observation(const runtime::ComponentStats& stats, bool fenced) {
  return {.name = stats.name(),
          .life = {stats.restarts(), stats.incarnation()},
          .fenced = fenced,
          .running = stats.running().has_value(),
          .waiting = stats.mailbox_depth(),
          .processed = stats.processed(),
          .last_progress = stats.last_progress()};
}

}  // namespace

HealthChecker::HealthChecker(runtime::Host& host, HealthOptions options)
    : ComponentOf(host), options_(std::move(options)), core_(options_.rules) {}

void HealthChecker::start(runtime::Step step) {
  host().on_own_behalf([this] {
    look();
    look_again_later();
  });
  step.done();
}

void HealthChecker::look_again_later() {
  host().after(options_.rules.interval, [this] {
    look();
    look_again_later();
  });
}

// Only who lives is judged: messages that wait for a dead incarnation wait for ever, and one that
// prepares or starts is under the deadlines of its supervisor.
std::vector<Observation> HealthChecker::observe() {
  const auto& services = host().services();
  living_ = services.registry.living();
  std::vector<Observation> seen;
  for (const auto& stats : services.telemetry.all())
    if (std::binary_search(living_.begin(), living_.end(), stats->name()))
      seen.push_back(observation(*stats, false));
  watched_ = static_cast<std::uint32_t>(seen.size());
  for (const auto& stats : services.telemetry.former()) seen.push_back(observation(*stats, true));
  return seen;
}

void HealthChecker::look() {
  sick_ = core_.look(host().now(), observe());
  looked_wall_ns_ = host().services().clocks.wall_ns();
  for (const auto& sick : sick_)
    if (sick.report) report(sick);
  const auto count = problems().size();
  host().set_state_line(
      count == 0 ? "all healthy" : std::to_string(count) + (count == 1 ? " problem" : " problems"));
}

void HealthChecker::report(const Sick& sick) {
  const auto known = options_.components.find(sick.name);
  if (known == options_.components.end() || known->second.supervisor.empty()) {
    host().log().error("a component is sick and nobody can replace it",
                       {{"component", sick.name}, {"reason", sick.reason}});
    return;
  }
  host().log().warn("a component is sick and is to be replaced",
                    {{"component", sick.name}, {"reason", sick.reason}});
  Ref<protocol::Supervisor> supervisor{host(), known->second.supervisor};
  supervisor
      .replace([&](auto request) {
        request.setChild(sick.name);
        request.setIncarnation(sick.life.incarnation);
        request.setReason(sick.reason);
      })
      .within(options_.replace_timeout)
      .then([this, name = sick.name, life = sick.life](auto answer) {
        if (answer) {
          ++replaced_total_;
          return;
        }
        // notFound: that incarnation has gone meanwhile, which is what was wanted.
        if (answer.error().code == Errc::NOT_FOUND) return;
        host().log().warn("a supervisor could not be told of a sick child",
                          {{"child", name}, {"error", answer.error().message}});
        core_.undelivered(name, life, host().now());
      });
}

std::vector<HealthChecker::Problem> HealthChecker::problems() const {
  std::vector<Problem> problems;
  for (const auto& sick : sick_) problems.push_back({sick.name, sick.reason});
  for (const auto& [name, component] : options_.components) {
    if (!component.must_live || std::binary_search(living_.begin(), living_.end(), name)) continue;
    const auto stats = host().services().telemetry.find(name);
    const auto errors =
        stats == nullptr ? std::vector<runtime::ErrorNote>{} : stats->snapshot().errors;
    problems.push_back({name, errors.empty() ? "is down" : "is down: " + errors.back().text});
  }
  return problems;
}

void HealthChecker::check(Call<protocol::HealthChecker::Check> call) {
  look();
  const auto found = problems();
  const bool ready = std::all_of(options_.ready_when.begin(), options_.ready_when.end(),
                                 [&](const std::string& name) {
                                   return std::binary_search(living_.begin(), living_.end(), name);
                                 });
  call.reply([&](messages::CheckHealthResponse::Builder out) {
    out.setHealthy(found.empty());
    out.setReady(ready);
    out.setComponents(watched_);
    out.setCheckedNs(looked_wall_ns_);
    out.setReplacedTotal(replaced_total_);
    const auto shown = std::min(found.size(), kProblemsMax);
    auto rows = out.initProblems(static_cast<unsigned>(shown));
    for (unsigned i = 0; i < shown; ++i) {
      rows[i].setComponent(found[i].component);
      rows[i].setDetail(found[i].detail);
    }
  });
}

}  // namespace symphony::bootstrap
