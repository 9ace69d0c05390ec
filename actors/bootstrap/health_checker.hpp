// `/health`: looks at what every component publishes of itself, has those replaced that make no
// progress, and says whether the node can do its work.
//
// It sends nothing to the components it watches, so that watching costs them nothing and cannot be
// delayed by what waits for them. Supervisors are components and are watched like all others.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "actors/bootstrap/health_core.hpp"
#include "messages/health.protocol.hpp"
#include "runtime/component/component.hpp"

namespace symphony::bootstrap {

struct WatchedComponent {
  // Who can replace it; empty for the root: it is watched, but nobody can.
  std::string supervisor;
  // Whether the node is unhealthy while nobody answers to the name. False for what may be finished.
  bool must_live = true;
};

struct HealthOptions {
  HealthRules rules;
  // By name. A component that is not in here is watched, and nobody is told.
  std::map<std::string, WatchedComponent> components;
  // The node is ready when all of these live: the supervisors of its phases.
  std::vector<std::string> ready_when;
  // For asking a supervisor to replace a child.
  std::chrono::nanoseconds replace_timeout = std::chrono::seconds(5);
};

class HealthChecker final : public runtime::ComponentOf<protocol::HealthChecker> {
 public:
  static constexpr std::size_t kProblemsMax = 1000;  // in one answer

  HealthChecker(runtime::Host& host, HealthOptions options);

  void start(runtime::Step step) override;

  void check(Call<protocol::HealthChecker::Check> call) override;

 private:
  struct Problem {
    std::string component;
    std::string detail;
  };

  void look();
  void look_again_later();
  void report(const Sick& sick);
  std::vector<Observation> observe();
  std::vector<Problem> problems() const;

  const HealthOptions options_;
  HealthCore core_;
  std::vector<std::string> living_;  // at the latest look, sorted
  std::vector<Sick> sick_;           // at the latest look
  std::uint32_t watched_ = 0;
  std::int64_t looked_wall_ns_ = 0;
  std::uint64_t replaced_total_ = 0;
};

}  // namespace symphony::bootstrap
