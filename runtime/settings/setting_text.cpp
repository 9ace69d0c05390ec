#include "runtime/settings/setting_text.hpp"

#include "messages/json_value.hpp"
#include "messages/utf8.hpp"
#include "runtime/settings/settings.hpp"
#include "runtime/settings/value_json.hpp"

namespace symphony::runtime {
namespace {

constexpr std::size_t kTextMaxBytes = 16 * 1024;  // a key or origin that is longer is cut

bool within(std::string_view path, std::string_view prefix) {
  if (prefix.empty()) return true;
  if (!path.starts_with(prefix)) return false;
  return path.size() == prefix.size() || path[prefix.size()] == '.';
}

// Paths and variables may hold any bytes.
std::string text(std::string_view bytes) { return valid_text(bytes, kTextMaxBytes); }

std::string json_text(const Value& value) {
  return to_json(value).dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

std::vector<SettingText> setting_texts(const Settings& settings, std::string_view prefix) {
  std::vector<SettingText> texts;
  for (const auto& setting : settings.all())
    if (within(setting.path, prefix))
      texts.push_back(
          {text(setting.path), json_text(setting.value), text(setting.value.mark().text())});
  return texts;
}

}  // namespace symphony::runtime
