// Settings as text that may stand in messages: what components tell of them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace symphony::runtime {

class Settings;

// Valid UTF-8, whatever bytes paths and variables hold.
struct SettingText {
  std::string key;     // "log.level"
  std::string value;   // as JSON
  std::string origin;  // "node.toml:12", "environment SYMPHONY_LOG_LEVEL", "default", …
};

// All of the section or key `prefix`, in the order of the schema: "log" means "log.level" too, but
// not "logs.level". Empty: everything.
std::vector<SettingText> setting_texts(const Settings& settings, std::string_view prefix);

}  // namespace symphony::runtime
