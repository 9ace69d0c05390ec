// `/foundation/settings`: shows what the node was told to do, each value with its origin.
// The settings are read once, before the node starts, and never change while it runs.
#pragma once

#include "messages/foundation.protocol.hpp"
#include "runtime/component/component.hpp"

namespace symphony::runtime {
class Settings;
}

namespace symphony::actors {

class SettingsView final : public runtime::ComponentOf<protocol::Settings> {
 public:
  // `settings` must outlive the component.
  SettingsView(runtime::Host& host, const runtime::Settings& settings)
      : ComponentOf(host), settings_(settings) {}

  void show(Call<protocol::Settings::Show> call) override;

 private:
  const runtime::Settings& settings_;
};

}  // namespace symphony::actors
