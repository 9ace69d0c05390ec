#include "actors/foundation/settings.hpp"

#include <string>
#include <string_view>
#include <vector>

#include "messages/json_value.hpp"
#include "runtime/log/log_record.hpp"
#include "runtime/settings/settings.hpp"
#include "runtime/settings/value_json.hpp"

namespace symphony::actors {
namespace {

// "log" holds "log.level" and "log" itself, not "logs".
bool within(std::string_view path, std::string_view prefix) {
  if (prefix.empty()) return true;
  if (!path.starts_with(prefix)) return false;
  return path.size() == prefix.size() || path[prefix.size()] == '.';
}

constexpr std::size_t kTextMaxBytes = 16 * 1024;  // a key or origin that is longer is cut

// Paths and variables may hold any bytes; text in messages may not.
std::string text(std::string_view bytes) { return runtime::valid_text(bytes, kTextMaxBytes); }

std::string json_text(const runtime::Value& value) {
  return runtime::to_json(value).dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

void SettingsView::show(Call<protocol::Settings::Show> call) {
  const std::string_view prefix{call->getPrefix().cStr(), call->getPrefix().size()};
  std::vector<const runtime::Setting*> chosen;
  for (const auto& setting : settings_.all())
    if (within(setting.path, prefix)) chosen.push_back(&setting);
  call.reply([&](messages::ShowSettingsResponse::Builder out) {
    auto rows = out.initSettings(static_cast<unsigned>(chosen.size()));
    for (unsigned i = 0; i < chosen.size(); ++i) {
      rows[i].setKey(text(chosen[i]->path));
      rows[i].setValue(json_text(chosen[i]->value));
      rows[i].setOrigin(text(chosen[i]->value.mark().text()));
    }
  });
}

}  // namespace symphony::actors
