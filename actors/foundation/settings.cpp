#include "actors/foundation/settings.hpp"

#include <string_view>

#include "runtime/settings/setting_text.hpp"

namespace symphony::actors {

void SettingsView::show(Call<protocol::Settings::Show> call) {
  const std::string_view prefix{call->getPrefix().cStr(), call->getPrefix().size()};
  const auto chosen = runtime::setting_texts(settings_, prefix);
  call.reply([&](messages::ShowSettingsResponse::Builder out) {
    auto rows = out.initSettings(static_cast<unsigned>(chosen.size()));
    for (unsigned i = 0; i < chosen.size(); ++i) {
      rows[i].setKey(chosen[i].key);
      rows[i].setValue(chosen[i].value);
      rows[i].setOrigin(chosen[i].origin);
    }
  });
}

}  // namespace symphony::actors
