// The `symphony` command with probes in its node. Only test builds have it.
//
// PROBES is a JSON list of what to add to the application phase, each with
//   name         in the registry
//   needs        names of others that must be ready before it (may be left out)
// and, where it is to misbehave,
//   constructor  "throw"
//   prepare      "fail"
//   start        "fail" | "hang"
//   stop         "hang"
#include <nlohmann/json.hpp>

#include <cstdlib>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "actors/bootstrap/cli/command.hpp"
#include "runtime/testing/probe.hpp"

namespace {

using symphony::Errc;
using symphony::Error;
using symphony::Status;
using symphony::runtime::ChildPlan;
using symphony::runtime::Host;
using symphony::runtime::Probe;
using symphony::runtime::ProbeScript;

bool told(const nlohmann::json& probe, const char* step, const char* what) {
  return probe.value(step, "") == what;
}

ProbeScript script_of(const nlohmann::json& probe) {
  ProbeScript script;
  const auto failing = [](const char* step) {
    return [step]() -> Status {
      return Error{Errc::RESOURCE_EXHAUSTED, std::string{"the probe's "} + step + " fails"};
    };
  };
  script.throw_in_constructor = told(probe, "constructor", "throw");
  if (told(probe, "prepare", "fail")) script.prepare = failing("prepare");
  if (told(probe, "start", "fail")) script.start = failing("start");
  script.hang_in_start = told(probe, "start", "hang");
  script.hang_in_stop = told(probe, "stop", "hang");
  return script;
}

ChildPlan plan_of(const nlohmann::json& probe) {
  static const std::set<std::string> kKeys{"name",    "needs", "constructor",
                                           "prepare", "start", "stop"};
  for (const auto& [key, value] : probe.items())
    if (!kKeys.contains(key)) throw std::invalid_argument("PROBES: unknown key \"" + key + "\"");
  ChildPlan plan;
  plan.spec.id = probe.at("name").get<std::string>();
  plan.spec.needs = probe.value("needs", std::vector<std::string>{});
  plan.component.name = plan.spec.id;
  plan.component.summary = "a probe that does as it is told";
  plan.component.make = [script = script_of(probe)](Host& host) {
    return std::make_unique<Probe>(host, script);
  };
  return plan;
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<ChildPlan> probes;
  if (const char* text = std::getenv("PROBES"))
    for (const auto& probe : nlohmann::json::parse(text)) probes.push_back(plan_of(probe));
  return symphony::cli::run_command(argc, argv, std::move(probes));
}
