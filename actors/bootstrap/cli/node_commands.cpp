// symphony node, stop, health
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

#include "actors/bootstrap/cli/context.hpp"
#include "actors/bootstrap/node.hpp"
#include "actors/bootstrap/systemd.hpp"
#include "messages/control.protocol.hpp"
#include "messages/health.protocol.hpp"
#include "messages/json.hpp"
#include "messages/json_value.hpp"

namespace symphony::cli {
namespace {

void run_node(Context& context, const std::string& given_name) {
  if (!given_name.empty()) context.node = given_name;
  auto settings = context.settings();
  if (!settings) return;
  auto name = context.node_name(*settings);
  bootstrap::NodeConfig config{std::move(*settings), std::move(name), std::move(context.extra)};
  config.on_threads_left = [&context] { context.threads_left = true; };
  auto booted = bootstrap::Node::boot(std::move(config));
  if (const auto* failure = std::get_if<bootstrap::NodeFailure>(&booted))
    return context.fail(failure->code, failure->message);
  auto& node = *std::get<std::unique_ptr<bootstrap::Node>>(booted);
  if (context.json)
    fmt::print("{}\n", Json{{"ready", true},
                            {"node", node.name()},
                            {"endpoint", node.endpoint()},
                            {"pid", ::getpid()},
                            {"boot_ms", node.boot_time().count()}}
                           .dump());
  else
    fmt::print("symphony: node {} is ready at {} (pid {}, {} ms)\n", node.name(), node.endpoint(),
               ::getpid(), node.boot_time().count());
  std::fflush(stdout);
  bootstrap::notify_systemd("READY=1\nSTATUS=ready at " + node.endpoint());
  context.exit_code = node.run_until_stopped();
}

void check_health(Context& context) {
  const auto client = context.connect("health");
  if (client == nullptr) return;
  const Ref<protocol::HealthChecker> health{*client};
  const auto answer = health.check().within(std::chrono::seconds(5)).get();
  if (!answer) return context.fail(answer.error());
  const auto report = **answer;
  const bool healthy = report.getHealthy() && report.getReady();
  if (context.json) {
    fmt::print("{}\n", to_json(capnp::DynamicStruct::Reader(report)));
  } else if (healthy) {
    fmt::print("healthy: {} components, all make progress\n", report.getComponents());
  } else {
    if (!report.getReady()) fmt::print("not ready yet\n");
    for (const auto problem : report.getProblems())
      fmt::print("{}: {}\n", problem.getComponent().cStr(), problem.getDetail().cStr());
  }
  context.exit_code = healthy ? bootstrap::kExitOk : bootstrap::kExitFailed;
}

void stop_node(Context& context) {
  const auto client = context.connect("stop");
  if (client == nullptr) return;
  const auto answer = Ref<protocol::Control>{*client}.shutdown().get();
  if (!answer) return context.fail(answer.error());
  if (!context.json) fmt::print("node {} is stopping\n", client->node());
}

}  // namespace

void add_node_commands(CLI::App& app, Context& context) {
  auto* node = app.add_subcommand("node", "Run a node until it is told to stop");
  auto name = std::make_shared<std::string>();
  node->add_option("--name", *name, "What the node is called (else --node, else node.name)");
  node->footer("SIGTERM and Ctrl-C stop it in order within boot.drain_ms; a second one at once.");
  node->callback([&context, name] { run_node(context, *name); });

  auto* health =
      app.add_subcommand("health", "Tell whether the node can do its work (exit 0 or 1)");
  health->callback([&context] { check_health(context); });

  auto* stop = app.add_subcommand("stop", "Stop the node in order");
  stop->callback([&context] { stop_node(context); });
}

}  // namespace symphony::cli
