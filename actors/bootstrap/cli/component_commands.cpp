// symphony ps, tree, describe, send
#include <fmt/format.h>

#include <capnp/dynamic.h>

#include <algorithm>
#include <cstdio>
#include <functional>

#include "actors/bootstrap/cli/context.hpp"
#include "actors/bootstrap/cli/terminal.hpp"
#include "messages/component.protocol.hpp"
#include "messages/foundation.protocol.hpp"
#include "messages/json.hpp"
#include "messages/protocol.hpp"
#include "messages/supervisor.protocol.hpp"
#include "runtime/text/suggest.hpp"

namespace symphony::cli {
namespace {

constexpr const char* kRootName = "/system";

template <class T>
void print_json(const Msg<T>& message) {
  fmt::print("{}\n", to_json(message.words(), capnp::Schema::from<T>()));
}

// ---- ps -----------------------------------------------------------------------------------------

void ps(Context& context) {
  const auto client = context.connect("ps");
  if (client == nullptr) return;
  const auto answer = WaitingRef<protocol::Telemetry>{*client}.list().get();
  if (!answer) return context.fail(answer.error());
  if (context.json) return print_json(*answer);
  Table table{{"NAME", "STATE", "WAITING", "DONE", "FAILED", "RESTARTS", "p50", "p99", "DOING"},
              {false, false, true, true, true, true, true, true, false}};
  for (const auto row : (*answer)->getComponents()) {
    const auto stats = row.getStats();
    const auto handling = stats.getHandling();
    const bool busy = row.getBusyNs() > 0;
    table.add({row.getName().cStr(),
               !row.getLiving() ? "down"
               : busy           ? "busy"
                                : "idle",
               human_count(stats.getDepth()), human_count(stats.getProcessed()),
               human_count(stats.getFailed()), human_count(stats.getRestarts()),
               handling.getCount() == 0 ? "" : human_duration_ns(handling.getP50Ns()),
               handling.getCount() == 0 ? "" : human_duration_ns(handling.getP99Ns()),
               row.getStateLine().cStr()});
  }
  std::fputs(table.text(colours(1)).c_str(), stdout);
  const auto node = (*answer)->getNode();
  fmt::print("\nnode {} {}, pid {}, {} resident, {} threads, {} dead letters, since {}\n",
             node.getName().cStr(), node.getVersion().cStr(), node.getPid(),
             human_bytes(node.getResidentBytes()), node.getThreads(), node.getDeadLetters(),
             local_time(node.getStartedNs()));
}

// ---- tree ---------------------------------------------------------------------------------------

void print_tree(messages::TreeNode::Reader node, const std::string& indent, bool last, bool root) {
  const std::string branch = root ? "" : last ? "└─ " : "├─ ";
  std::string line = indent + branch + one_line(node.getName().cStr());
  line += "  " + one_line(node.getState().cStr());
  if (node.getStrategy().size() > 0) line += "  " + one_line(node.getStrategy().cStr());
  if (node.getRestarts() > 0) line += fmt::format("  {} restarts", node.getRestarts());
  if (node.getLastExit().size() > 0)
    line += "  (last: " + one_line(node.getLastExit().cStr()) + ")";
  if (node.getUnanswered()) line += "  (did not say in time what is below it)";
  fmt::print("{}\n", line);
  const std::string below = root ? "" : indent + (last ? "   " : "│  ");
  const auto children = node.getChildren();
  for (unsigned i = 0; i < children.size(); ++i)
    print_tree(children[i], below, i + 1 == children.size(), false);
}

void tree(Context& context) {
  const auto client = context.connect("tree");
  if (client == nullptr) return;
  const WaitingRef<protocol::Supervisor> root{*client, kRootName};
  const auto answer = root.tree().get();
  if (!answer) return context.fail(answer.error());
  if (context.json) return print_json(*answer);
  print_tree((*answer)->getRoot(), "", true, true);
}

// ---- describe -----------------------------------------------------------------------------------

void describe(Context& context, const std::string& name) {
  const auto client = context.connect("describe");
  if (client == nullptr) return;
  const auto answer = WaitingRef<protocol::Component>{*client, name}.describe().get();
  if (!answer) return context.fail(answer.error());
  if (context.json) return print_json(*answer);
  const auto about = **answer;
  const auto stats = about.getStats();
  fmt::print("{}: {}\n", one_line(about.getName().cStr()), one_line(about.getSummary().cStr()));
  fmt::print("  protocol     {}\n", about.getProtocol().cStr());
  fmt::print("  incarnation  {}, {} restarts\n", about.getIncarnation(), stats.getRestarts());
  if (about.getStateLine().size() > 0)
    fmt::print("  doing        {}\n", one_line(about.getStateLine().cStr()));
  fmt::print("  messages     {} handled, {} waiting, {} refused, {} failed, {} dropped\n",
             human_count(stats.getProcessed()), human_count(stats.getDepth()),
             human_count(stats.getRefused()), human_count(stats.getFailed()),
             human_count(stats.getDropped()));
  const auto latency = [](const char* what, messages::LatencySummary::Reader from) {
    if (from.getCount() == 0) return;
    fmt::print("  {}p50 {}, p90 {}, p99 {}, max {}\n", what, human_duration_ns(from.getP50Ns()),
               human_duration_ns(from.getP90Ns()), human_duration_ns(from.getP99Ns()),
               human_duration_ns(from.getMaxNs()));
  };
  latency("waiting      ", stats.getWaiting());
  latency("handling     ", stats.getHandling());
  for (const auto setting : about.getSettings())
    fmt::print("  setting      {} = {} ({})\n", one_line(setting.getKey().cStr()),
               one_line(setting.getValue().cStr()), one_line(setting.getOrigin().cStr()));
  for (const auto error : stats.getLastErrors())
    fmt::print("  last error   {}\n", one_line(error.cStr()));
  fmt::print("\nmethods (symphony send {} METHOD JSON):\n", name);
  for (const auto method : about.getMethods()) {
    if (method.getInternal()) continue;
    fmt::print(
        "  {}({}){}\n", method.getName().cStr(), method.getRequest().cStr(),
        method.getOneway() ? "  one-way" : " -> " + std::string{method.getResponse().cStr()});
  }
}

// ---- send ---------------------------------------------------------------------------------------

// The protocol that the component says it has.
const ProtocolInfo* protocol_of(Context& context, runtime::LinkClient& client,
                                const std::string& name) {
  const auto about = WaitingRef<protocol::Component>{client, name}.describe().get();
  if (!about) {
    context.fail(about.error());
    return nullptr;
  }
  for (const auto* protocol : all_protocols())
    if (protocol->title == (*about)->getProtocol().cStr()) return protocol;
  context.fail(bootstrap::kExitFailed, name + " speaks " + (*about)->getProtocol().cStr() +
                                           ", which this command does not know");
  return nullptr;
}

// A method of the protocol, or of what all components have.
std::pair<const ProtocolInfo*, const MethodInfo*> method_of(const ProtocolInfo& protocol,
                                                            const std::string& method) {
  if (const auto* found = protocol.find(method)) return {&protocol, found};
  const auto& common = protocol::Component::info();
  return {&common, common.find(method)};
}

void send(Context& context, const std::string& name, const std::string& method_name,
          const std::string& json, double timeout_s) {
  const auto client = context.connect("send");
  if (client == nullptr) return;
  const auto* spoken = protocol_of(context, *client, name);
  if (spoken == nullptr) return;
  const auto [protocol, method] = method_of(*spoken, method_name);
  if (method == nullptr) {
    std::vector<std::string> names;
    for (const auto& known : spoken->methods) names.emplace_back(known.name);
    return context.fail(bootstrap::kExitUsage, name + " has no method \"" + method_name + "\"" +
                                                   runtime::suggestion_suffix(method_name, names) +
                                                   "; `symphony describe " + name + "` lists them");
  }
  auto request = from_json(method->request(), json);
  if (!request) return context.fail(request.error());
  Envelope envelope;
  envelope.header.protocol = protocol->id;
  envelope.header.method = method->ordinal;
  envelope.words = std::move(request).value();
  const auto target = client->resolve(name);
  if (method->oneway) {
    envelope.header.kind = Kind::notice;
    const auto sent = client->tell(*target, std::move(envelope));
    if (!sent) context.fail(sent.error());
    return;
  }
  Deadline deadline = kNoDeadline;
  if (timeout_s > 0)
    deadline = client->now() + std::chrono::duration_cast<std::chrono::nanoseconds>(
                                   std::chrono::duration<double>(timeout_s));
  const auto answer = client->ask_and_wait(*target, std::move(envelope), deadline);
  if (!answer) return context.fail(answer.error());
  fmt::print("{}\n", to_json(*answer, method->response(),
                             context.json ? JsonStyle::compact : JsonStyle::pretty));
}

struct SendArguments {
  std::string name, method, json = "{}";
  double timeout_s = 0;
};

}  // namespace

void add_component_commands(CLI::App& app, Context& context) {
  app.add_subcommand("ps", "List the components of the node and what they do")
      ->callback([&context] { ps(context); });
  app.add_subcommand("tree", "Show the supervision tree")->callback([&context] { tree(context); });

  auto* about = app.add_subcommand("describe", "Tell everything about one component");
  auto name = std::make_shared<std::string>();
  about->add_option("NAME", *name, "The component, as in /pit/dag")->required();
  about->callback([&context, name] { describe(context, *name); });

  auto* sender = app.add_subcommand("send", "Send a message to a component and print the answer");
  auto arguments = std::make_shared<SendArguments>();
  sender->add_option("NAME", arguments->name, "The component, as in /pit/dag")->required();
  sender->add_option("METHOD", arguments->method, "One of its methods")->required();
  sender->add_option("JSON", arguments->json, "The request (else {})");
  sender->add_option("--timeout", arguments->timeout_s, "How long to wait")->type_name("SECONDS");
  sender->callback([&context, arguments] {
    send(context, arguments->name, arguments->method, arguments->json, arguments->timeout_s);
  });
  sender->footer("Example: symphony send /foundation/telemetry list");
}

}  // namespace symphony::cli
