// The boot tree: every component of a node, as data. The only place that knows them all.
//
//     /system                 rest-for-one over the phases
//     ├─ /system/foundation       settings, log, telemetry
//     ├─ /system/infrastructure   the Pit
//     ├─ /system/orchestration    engine, melodies
//     ├─ /system/application      the control endpoint
//     └─ /health                  probes everything
#pragma once

#include <map>
#include <string>
#include <vector>

#include "actors/bootstrap/parts.hpp"
#include "runtime/supervision/supervisor.hpp"

namespace symphony::bootstrap {

inline constexpr const char* kRootName = "/system";

struct BootTree {
  runtime::SupervisorSpec root;
  std::vector<runtime::SettingText> root_settings;
  std::vector<runtime::ChildPlan> children;
};

// `extra` joins the application phase: components that only some builds have. Their deadlines and
// the limits of their mailboxes come from the settings.
BootTree boot_tree(const Parts& parts, std::vector<runtime::ChildPlan> extra = {});

// The name of the supervisor of each component, supervisors included (the root's is "").
std::map<std::string, std::string> supervisors_of(const BootTree& tree);

}  // namespace symphony::bootstrap
