// What programs that a run starts see: some variables of whoever started it, and what its melody
// names.
//
// Values of `pass_env` are secrets: they live in memory only, are in no journal, log or result, and
// come anew from whoever resumes the run. Pure and thread-safe.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "actors/orchestration/melody/plan.hpp"

namespace symphony::actors {

// By name; the bytes of the system.
using Environment = std::map<std::string, std::string, std::less<>>;

// Whether every run takes this variable from its caller: PATH, HOME, LANG, LC_*, TZ, TMPDIR, USER.
bool is_taken_along(std::string_view name) noexcept;

// Of the caller's variables those that a run may have: what is taken along, and what `passed`
// names.
Environment chosen_environment(const Environment& caller, const std::vector<std::string>& passed);

// What `pass_env` names anywhere in the melody; sorted, each once.
std::vector<std::string> passed_variables(const Melody& melody);
std::vector<std::string> passed_variables(const Plan& plan);

// A problem, at its place, for each variable that is to be passed and that the caller lacks.
runtime::Problems lacking_variables(const Plan& plan, const Environment& caller);

// What programs of the node see: what is taken along, then what the melody sets and passes, then
// what the node does. Of `caller`, nothing else.
Environment environment_of(const Plan& plan, const PlanNode& node, const Environment& caller);

}  // namespace symphony::actors
