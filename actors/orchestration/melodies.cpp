#include "actors/orchestration/melodies.hpp"

#include <string>
#include <utility>

#include "actors/orchestration/engine/engine_messages.hpp"
#include "actors/orchestration/melody/plan.hpp"
#include "actors/orchestration/operator_help.hpp"

namespace symphony::actors {
namespace {

unsigned shown(const runtime::Problems& problems) {
  return static_cast<unsigned>(problems.end() - problems.begin());
}

}  // namespace

void Melodies::check(Call<protocol::Melodies::Check> call) {
  const auto file = call->getFile();
  std::string name = file.size() == 0 ? "melody" : file.cStr();
  // A melody may be megabytes: that is no work for an actor.
  host().run_blocking(
      [text = std::string(call->getText().cStr(), call->getText().size()), name = std::move(name),
       &operators = operators_] { return load_melody(text, name, operators); },
      [call = std::move(call)](Result<LoadedMelody> loaded) mutable {
        if (!loaded) return call.fail(loaded.error());
        call.reply([&](auto response) {
          if (loaded->plan) {
            response.setName(loaded->plan->name);
            response.setNodes(static_cast<std::uint32_t>(loaded->plan->nodes.size()));
          }
          write(response.initProblems(shown(loaded->problems)), loaded->problems);
          write(response.initWarnings(shown(loaded->warnings)), loaded->warnings);
        });
      });
}

void Melodies::operators(Call<protocol::Melodies::Operators> call) {
  if (call->getName().size() == 0)
    return call.reply(
        [&](auto response) { response.setOperatorsJson(operators_help_json(operators_).dump()); });
  const auto one = operator_help_json(operators_, call->getName().cStr());
  if (!one) return call.fail(one.error());
  call.reply([&](auto response) { response.setOperatorsJson(Json::array({*one}).dump()); });
}

}  // namespace symphony::actors
