#include "actors/orchestration/melody/environment.hpp"

#include <algorithm>
#include <array>

namespace symphony::actors {
namespace {

constexpr std::array<std::string_view, 6> kTakenAlong{"HOME",   "LANG", "PATH",
                                                      "TMPDIR", "TZ",   "USER"};

void add_names(const MelodyEnvironment& from, std::vector<std::string>& names) {
  for (const MelodyNeed& variable : from.passed) names.push_back(variable.name);
}

std::vector<std::string> each_once(std::vector<std::string> names) {
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

template <class M>
std::vector<std::string> passed_by(const M& melody) {
  std::vector<std::string> names;
  add_names(melody.environment, names);
  for (const auto& node : melody.nodes) add_names(node.environment, names);
  return each_once(std::move(names));
}

void apply(const MelodyEnvironment& from, const Environment& caller, Environment& to) {
  for (const auto& [name, value] : from.set) to.insert_or_assign(name, value);
  for (const MelodyNeed& variable : from.passed)
    if (const auto found = caller.find(variable.name); found != caller.end())
      to.insert_or_assign(found->first, found->second);
}

void note_lacking(const MelodyEnvironment& from, const std::string& path, const Environment& caller,
                  runtime::Problems& problems) {
  for (const MelodyNeed& variable : from.passed)
    if (!caller.contains(variable.name))
      problems.add({variable.mark, path,
                    "the variable " + variable.name +
                        " is not set here: set it, or take it out of pass_env"});
}

}  // namespace

bool is_taken_along(std::string_view name) noexcept {
  return name.starts_with("LC_") ||
         std::find(kTakenAlong.begin(), kTakenAlong.end(), name) != kTakenAlong.end();
}

Environment chosen_environment(const Environment& caller, const std::vector<std::string>& passed) {
  Environment chosen;
  for (const auto& [name, value] : caller)
    if (is_taken_along(name)) chosen.emplace(name, value);
  for (const std::string& name : passed)
    if (const auto found = caller.find(name); found != caller.end()) chosen.insert(*found);
  return chosen;
}

std::vector<std::string> passed_variables(const Melody& melody) { return passed_by(melody); }
std::vector<std::string> passed_variables(const Plan& plan) { return passed_by(plan); }

runtime::Problems lacking_variables(const Plan& plan, const Environment& caller) {
  runtime::Problems problems;
  note_lacking(plan.environment, "pass_env", caller, problems);
  for (const PlanNode& node : plan.nodes)
    note_lacking(node.environment, "nodes." + node.name + ".pass_env", caller, problems);
  return problems;
}

Environment environment_of(const Plan& plan, const PlanNode& node, const Environment& caller) {
  Environment all = chosen_environment(caller, {});
  apply(plan.environment, caller, all);
  apply(node.environment, caller, all);
  return all;
}

}  // namespace symphony::actors
