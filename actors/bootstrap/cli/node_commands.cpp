// symphony node, stop, health
#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <thread>
#include <variant>

#include "actors/bootstrap/cli/context.hpp"
#include "actors/bootstrap/cli/terminal.hpp"
#include "actors/bootstrap/node.hpp"
#include "actors/bootstrap/systemd.hpp"
#include "messages/control.protocol.hpp"
#include "messages/health.protocol.hpp"
#include "messages/json.hpp"
#include "messages/json_value.hpp"

namespace symphony::cli {
namespace {

// A node that is to stay waits so long for one that a command started to finish its work.
constexpr std::chrono::seconds kMakeWayPatience{10};
constexpr std::chrono::milliseconds kMakeWayPause{50};

struct NodeArguments {
  std::string name;
  bool for_command = false;
};

// Boots; a node of the same name that a command started makes way first.
std::variant<std::unique_ptr<bootstrap::Node>, bootstrap::NodeFailure> boot(
    Context& context, const bootstrap::NodeConfig& config) {
  const auto deadline = std::chrono::steady_clock::now() + kMakeWayPatience;
  bool goes = false;  // it said so; while it stops it says nothing more
  for (;;) {
    auto booted = bootstrap::Node::boot(config);
    const auto* failure = std::get_if<bootstrap::NodeFailure>(&booted);
    const bool waits = failure != nullptr && failure->code == bootstrap::kExitNameTaken &&
                       !config.linger && std::chrono::steady_clock::now() < deadline;
    if (!waits) return booted;
    goes = goes || context.ask_to_make_way(config.settings, config.name);
    if (!goes) return booted;
    std::this_thread::sleep_for(kMakeWayPause);
  }
}

// What was started for a command has no part in what was that command's.
void detach() {
  const int nothing = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) ::dup2(nothing, stream);
  ::close(nothing);
  (void)!::chdir("/");
}

void run_node(Context& context, const NodeArguments& arguments) {
  ::signal(SIGPIPE, SIG_IGN);  // it does not end because nobody reads its log any more
  if (!arguments.name.empty()) context.node = arguments.name;
  auto settings = context.settings();
  if (!settings) return;
  auto name = context.node_name(*settings);
  const auto linger = settings->get_ms("node.linger_ms");
  bootstrap::NodeConfig config{std::move(*settings), std::move(name), std::move(context.extra)};
  if (arguments.for_command) config.linger = linger;
  config.on_threads_left = [&context] { context.threads_left = true; };
  auto booted = boot(context, config);
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
  if (arguments.for_command)
    detach();
  else
    bootstrap::notify_systemd("READY=1\nSTATUS=ready at " + node.endpoint());
  context.exit_code = node.run_until_stopped();
}

void check_health(Context& context) {
  const auto client = context.connect("health");
  if (client == nullptr) return;
  const WaitingRef<protocol::HealthChecker> health{*client};
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
      fmt::print("{}: {}\n", one_line(problem.getComponent().cStr()),
                 one_line(problem.getDetail().cStr()));
  }
  context.exit_code = healthy ? bootstrap::kExitOk : bootstrap::kExitFailed;
}

void stop_node(Context& context) {
  const auto client = context.connect("stop");
  if (client == nullptr) return;
  const auto answer = WaitingRef<protocol::Control>{*client}.shutdown().get();
  if (!answer) return context.fail(answer.error());
  if (!context.json) fmt::print("node {} is stopping\n", client->node());
}

}  // namespace

void add_node_commands(CLI::App& app, Context& context) {
  auto* node = app.add_subcommand("node", "Run a node until it is told to stop");
  auto arguments = std::make_shared<NodeArguments>();
  node->add_option("--name", arguments->name,
                   "What the node is called (else --node, else node.name)");
  node->add_flag(
      "--for-command", arguments->for_command,
      "As commands start it that find none: it ends node.linger_ms after its last client "
      "and its last run");
  node->footer("SIGTERM and Ctrl-C stop it in order within boot.drain_ms; a second one at once.");
  node->callback([&context, arguments] { run_node(context, *arguments); });

  auto* health =
      app.add_subcommand("health", "Tell whether the node can do its work (exit 0 or 1)");
  health->callback([&context] { check_health(context); });

  auto* stop = app.add_subcommand("stop", "Stop the node in order");
  stop->callback([&context] { stop_node(context); });
}

}  // namespace symphony::cli
