#include "actors/bootstrap/boot_tree.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <utility>

#include "actors/bootstrap/control.hpp"
#include "actors/bootstrap/health_checker.hpp"
#include "actors/foundation/log.hpp"
#include "actors/foundation/settings.hpp"
#include "actors/foundation/telemetry.hpp"
#include "actors/orchestration/engine/engine.hpp"
#include "actors/orchestration/melodies.hpp"
#include "actors/pit/arbitration/arbitration.hpp"
#include "actors/pit/artifacts/artifacts.hpp"
#include "actors/pit/dag/dag.hpp"
#include "actors/pit/output/node_output.hpp"
#include "runtime/system/variables.hpp"

namespace symphony::bootstrap {
namespace {

using runtime::ChildPlan;
using runtime::Host;
using runtime::Settings;
using runtime::SupervisorSpec;

runtime::ChildSpec child_spec(const Settings& settings, std::string id,
                              std::vector<std::string> needs) {
  runtime::ChildSpec spec;
  spec.id = std::move(id);
  spec.needs = std::move(needs);
  spec.prepare_timeout = settings.get_ms("boot.prepare_timeout_ms");
  spec.start_timeout = settings.get_ms("boot.start_timeout_ms");
  spec.drain_timeout = settings.get_ms("boot.drain_ms");
  spec.stop_timeout = settings.get_ms("boot.stop_timeout_ms");
  return spec;
}

SupervisorSpec supervisor_spec(const Settings& settings, std::string id,
                               runtime::Strategy strategy) {
  SupervisorSpec spec;
  spec.id = std::move(id);
  spec.strategy = strategy;
  spec.intensity.restarts_max = settings.get<std::uint32_t>("supervision.intensity");
  spec.intensity.window = settings.get_ms("supervision.period_ms");
  spec.backoff.initial = settings.get_ms("supervision.backoff_initial_ms");
  spec.backoff.max = settings.get_ms("supervision.backoff_max_ms");
  spec.backoff.jitter = settings.get<double>("supervision.jitter");
  return spec;
}

// What a component tells of its settings: sections, or single keys.
std::vector<runtime::SettingText> settings_of(const Settings& settings,
                                              const std::vector<std::string>& sections) {
  std::vector<runtime::SettingText> texts;
  for (const auto& section : sections)
    for (auto& text : runtime::setting_texts(settings, section)) texts.push_back(std::move(text));
  return texts;
}

// Collects the children of one phase.
class Phase {
 public:
  Phase(const Settings& settings, std::string name, std::string summary)
      : settings_(settings), name_(std::move(name)), summary_(std::move(summary)) {}

  // `sections`: those of the settings that it is made from.
  Phase& add(std::string name, std::string summary, std::vector<std::string> sections,
             runtime::ComponentFactory make) {
    ChildPlan plan;
    plan.spec = child_spec(settings_, name, {});
    sections.push_back("mailbox");
    plan.component = {std::move(name), std::move(summary), std::move(make),
                      settings_.get<std::size_t>("mailbox.limit"),
                      settings_of(settings_, sections)};
    children_.push_back(std::move(plan));
    return *this;
  }
  Phase& add(ChildPlan plan) {
    children_.push_back(std::move(plan));
    return *this;
  }
  // What must be ready before the one that was added last.
  void last_needs(std::vector<std::string> needs) {
    children_.back().spec.needs = std::move(needs);
  }

  // As a child of the root, which has it wait for the phase before it.
  ChildPlan plan() && {
    auto as_child = child_spec(settings_, name_, {});
    // A phase is as slow as its components one after the other.
    const auto phase_timeout = settings_.get_ms("boot.phase_timeout_ms");
    as_child.start_timeout = phase_timeout;
    as_child.stop_timeout = as_child.drain_timeout + as_child.stop_timeout;
    auto plan =
        runtime::supervisor_plan(supervisor_spec(settings_, name_, runtime::Strategy::kOneForOne),
                                 std::move(children_), std::move(as_child), summary_);
    plan.component.settings = settings_of(settings_, {"boot", "supervision"});
    return plan;
  }

 private:
  const Settings& settings_;
  std::string name_;
  std::string summary_;
  std::vector<ChildPlan> children_;
};

runtime::LinkOptions link_options(const Parts& parts) {
  const auto& settings = parts.settings;
  runtime::LinkOptions options;
  options.name = parts.node;
  options.max_peers = settings.get<std::size_t>("link.max_peers");
  options.max_pending = settings.get<std::size_t>("link.max_pending");
  options.max_frame_bytes = settings.get<std::size_t>("link.max_frame_bytes");
  options.max_inbound_bytes = settings.get<std::size_t>("link.max_inbound_bytes");
  options.max_inbound_bytes_in_all = settings.get<std::size_t>("link.max_inbound_total_bytes");
  options.handshake_timeout = settings.get_ms("link.handshake_timeout_ms");
  options.ask_timeout = settings.get_ms("link.ask_timeout_ms");
  return options;
}

ChildPlan foundation(const Parts& parts) {
  Phase phase{parts.settings, "/system/foundation", "what a node tells about itself"};
  phase.add(
      "/foundation/settings", "every setting and where it comes from", {},
      [parts](Host& host) { return std::make_unique<actors::SettingsView>(host, parts.settings); });
  phase.add("/foundation/log", "what the node says, and how much it says", {"log"},
            [](Host& host) { return std::make_unique<actors::LogView>(host); });
  phase.add(
      "/foundation/telemetry", "what the runtime counts, of every component", {},
      [node = actors::NodeIdentity{parts.node, SYMPHONY_VERSION, parts.services.clocks.wall_ns()}](
          Host& host) { return std::make_unique<actors::Telemetry>(host, node); });
  return std::move(phase).plan();
}

actors::Resources capacity(const Parts& parts) {
  const auto cores = parts.settings.get<std::uint64_t>("arbitration.cores");
  const auto memory_bytes = parts.settings.get_bytes("arbitration.memory_mib");
  actors::Resources capacity;
  capacity.millicores =
      cores != 0
          ? cores * 1000
          : std::max<std::uint64_t>(1000, static_cast<std::uint64_t>(parts.machine.cpus * 1000));
  capacity.memory_bytes = memory_bytes != 0 ? memory_bytes : parts.machine.memory_bytes;
  return capacity;
}

ChildPlan infrastructure(const Parts& parts) {
  Phase phase{parts.settings, "/system/infrastructure", "the Pit: what runs are made on"};
  phase.add("/pit/arbitration", "cores and memory, shared fairly between runs", {"arbitration"},
            [capacity = capacity(parts)](Host& host) {
              return std::make_unique<actors::Arbitration>(host,
                                                           actors::ArbitrationOptions{capacity});
            });
  phase.add(
      "/pit/artifacts", "content by digest, versions by name", {"artifacts", "storage"},
      [parts](Host& host) {
        actors::ArtifactsOptions options;
        options.store.part_bytes = parts.settings.get<std::size_t>("artifacts.part_bytes");
        options.store.compression_level = parts.settings.get<int>("artifacts.compression_level");
        return std::make_unique<actors::Artifacts>(host, parts.storage, parts.writer, options);
      });
  phase.add("/pit/dag", "what of each run is done and what may start", {"storage"},
            [parts](Host& host) {
              return std::make_unique<actors::Dag>(host, parts.storage, parts.writer);
            });
  phase.add("/pit/output", "what programs print that run for nodes", {"storage"},
            [parts](Host& host) {
              return std::make_unique<actors::NodeOutput>(host, parts.storage, parts.writer);
            });
  return std::move(phase).plan();
}

ChildPlan orchestration(const Parts& parts) {
  Phase phase{parts.settings, "/system/orchestration", "runs melodies"};
  phase.add("/orchestration/melodies", "melodies as such, and operators", {}, [parts](Host& host) {
    return std::make_unique<actors::Melodies>(host, parts.operators);
  });
  phase.add("/orchestration/engine", "runs melodies", {"engine"}, [parts](Host& host) {
    actors::EngineOptions options;
    options.operators = &parts.operators;
    options.asker = &parts.asker;
    options.workers = &parts.workers;
    options.fork_server = &parts.fork_server;
    options.host = parts.host;
    options.environment = runtime::process_variables();
    options.runs_max = parts.settings.get<std::size_t>("engine.max_runs");
    options.resumptions_max = parts.settings.get<std::uint32_t>("engine.max_crashes");
    return std::make_unique<actors::Engine>(host, options);
  });
  return std::move(phase).plan();
}

ChildPlan application(const Parts& parts, std::vector<ChildPlan> extra) {
  Phase phase{parts.settings, "/system/application", "what people and programs talk to"};
  std::vector<std::string> before_control;
  for (auto& plan : extra) {
    const auto kind = plan.spec.kind;
    plan.spec = child_spec(parts.settings, plan.spec.id, plan.spec.needs);
    plan.spec.kind = kind;
    before_control.push_back(plan.spec.id);
    phase.add(std::move(plan));
  }
  phase.add(
      "/control", "the endpoint of the node: a Unix socket", {"link", "node.runtime_dir"},
      [parts](Host& host) {
        return std::make_unique<Control>(
            host,
            ControlOptions{parts.socket_path, link_options(parts), parts.shut_down, parts.linger},
            parts.receiver);
      });
  phase.last_needs(std::move(before_control));
  return std::move(phase).plan();
}

void visit(const std::string& supervisor, const std::vector<ChildPlan>& children,
           const std::function<void(const std::string&, const ChildPlan&)>& seen) {
  for (const auto& child : children) {
    seen(supervisor, child);
    visit(child.spec.id, child.children, seen);
  }
}

// Watches all that is in the tree so far.
ChildPlan health(const Parts& parts, const BootTree& tree) {
  HealthOptions options;
  options.rules = {parts.settings.get_ms("health.interval_ms"),
                   parts.settings.get_ms("health.stuck_after_ms")};
  options.components.emplace(kRootName, WatchedComponent{});
  visit(kRootName, tree.children, [&](const std::string& supervisor, const ChildPlan& child) {
    const bool must_live = child.spec.kind == runtime::ChildKind::kPermanent;
    options.components.emplace(child.spec.id, WatchedComponent{supervisor, must_live});
  });
  for (const auto& phase : tree.children) options.ready_when.push_back(phase.spec.id);
  ChildPlan plan;
  plan.spec = child_spec(parts.settings, "/health", {});
  plan.component = {plan.spec.id, "looks at every component, and has stuck ones replaced",
                    [options = std::move(options)](Host& host) {
                      return std::make_unique<HealthChecker>(host, options);
                    },
                    parts.settings.get<std::size_t>("mailbox.limit"),
                    settings_of(parts.settings, {"health", "mailbox"})};
  return plan;
}

}  // namespace

BootTree boot_tree(const Parts& parts, std::vector<ChildPlan> extra) {
  BootTree tree;
  tree.root = supervisor_spec(parts.settings, kRootName, runtime::Strategy::kRestForOne);
  tree.root_settings =
      settings_of(parts.settings, {"node", "scheduler", "blocking", "boot", "supervision"});
  tree.children.push_back(foundation(parts));
  tree.children.push_back(infrastructure(parts));
  tree.children.push_back(orchestration(parts));
  tree.children.push_back(application(parts, std::move(extra)));
  tree.children.push_back(health(parts, tree));
  for (std::size_t i = 1; i < tree.children.size(); ++i)
    tree.children[i].spec.needs = {tree.children[i - 1].spec.id};
  return tree;
}

std::map<std::string, std::string> supervisors_of(const BootTree& tree) {
  std::map<std::string, std::string> out;
  out.emplace(kRootName, "");
  visit(kRootName, tree.children, [&](const std::string& supervisor, const ChildPlan& child) {
    out.emplace(child.spec.id, supervisor);
  });
  return out;
}

}  // namespace symphony::bootstrap
