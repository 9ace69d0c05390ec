// Reading, checking and binding what a run is made of.
#include <algorithm>
#include <filesystem>
#include <utility>

#include "actors/orchestration/engine/opening.hpp"
#include "actors/orchestration/melody/inputs.hpp"
#include "runtime/text/path_text.hpp"

namespace symphony::actors {
namespace {

std::string absolute_path(const std::string& path, const std::string& directory) {
  if (path.starts_with('/')) return path;
  std::string whole = (std::filesystem::path(directory) / path).lexically_normal().string();
  while (whole.size() > 1 && whole.ends_with('/')) whole.pop_back();
  return whole;
}

// A run goes on in another process, perhaps started elsewhere: its paths must not depend on that.
void make_paths_absolute(Json& inputs, const std::vector<MelodyInput>& declared,
                         const std::string& directory) {
  if (directory.empty()) return;
  for (const MelodyInput& input : declared) {
    if (input.type != ValueType::path) continue;
    Json& value = inputs[input.name];
    if (value.is_string()) value = absolute_path(value.get<std::string>(), directory);
  }
}

}  // namespace

void Engine::Prepared::load(const OperatorRegistry& operators, bool fresh) {
  auto loaded = load_melody(header.text, header.file.empty() ? "melody" : header.file, operators);
  problems = std::move(loaded.problems);
  if (!loaded.plan) return;
  auto made = std::make_shared<RunFacts>();
  made->plan = std::move(*loaded.plan);
  if (fresh) {
    auto bound = bind_inputs(made->plan.inputs, assignments);
    problems.append(std::move(bound.problems));
    if (!bound.value) return;
    made->inputs = std::move(*bound.value);
    make_paths_absolute(made->inputs, made->plan.inputs, header.directory);
    header.inputs = made->inputs.dump();
    header.melody = made->plan.name;
    header.version = made->plan.version;
  } else {
    made->inputs = Json::parse(header.inputs, nullptr, false);
    if (!made->inputs.is_object()) {
      problems.add({{}, "inputs", "the journal's inputs of the run cannot be read"});
      return;
    }
  }
  problems.append(lacking_variables(made->plan, caller));
  if (!problems.empty()) return;
  made->environment = chosen_environment(caller, passed_variables(made->plan));
  made->directory = runtime::decode_path(header.directory);
  for (const PlanNode& node : made->plan.nodes) made->operators.push_back(operators.find(node.use));
  made->id = header.run;
  made->started = iso8601_utc(header.started_ns);
  made->host = header.host;
  facts = std::move(made);
}

}  // namespace symphony::actors
