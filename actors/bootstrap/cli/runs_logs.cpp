// symphony runs logs
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "actors/bootstrap/cli/context.hpp"
#include "actors/bootstrap/cli/output_lines.hpp"
#include "actors/bootstrap/cli/session.hpp"
#include "actors/bootstrap/cli/terminal.hpp"
#include "messages/dag.protocol.hpp"
#include "messages/json_value.hpp"
#include "messages/output.protocol.hpp"
#include "runtime/text/suggest.hpp"

namespace symphony::cli {
namespace {

constexpr std::uint32_t kPageNodes = 2'000;
constexpr std::chrono::seconds kFollowWait{2};  // one long poll; then the run's end is looked for

struct LogsArguments {
  std::string run;
  std::string node;
  bool follow = false;
};

void print_json(messages::OutputPiece::Reader piece) {
  const auto data = piece.getData();
  const Json json{{"node", piece.getNode().cStr()},
                  {"stream", piece.getStream() == messages::PrintedOn::ERR ? "stderr" : "stdout"},
                  {"timeNs", piece.getTimeNs()},
                  {"startedNs", piece.getStartedNs()},
                  {"offset", piece.getOffset()},
                  {"text", std::string(reinterpret_cast<const char*>(data.begin()), data.size())}};
  fmt::print("{}\n", json.dump(-1, ' ', false, Json::error_handler_t::replace));
}

// Whether the run has ended; nothing when that cannot be known.
std::optional<bool> has_ended(Context& context, Session& session, std::string& run) {
  const Ref<protocol::Dag> dag{session.client()};
  const auto shown = session.desk().await(
      dag.show([&](messages::ShowRunRequest::Builder request) { request.setRun(run); }));
  if (!shown) {
    fail_ask(context, session, shown.error());
    return std::nullopt;
  }
  const auto row = (*shown)->getRow();
  run = row.getRun().cStr();
  return row.getStatus() != messages::RunStatus::PENDING &&
         row.getStatus() != messages::RunStatus::RUNNING;
}

// When nothing was printed: whether there is such a node at all.
void explain_silence(Context& context, Session& session, const std::string& run,
                     const std::string& node) {
  if (node.empty()) {
    fmt::print(stderr, "symphony: no program of run {} has printed anything\n", run);
    return;
  }
  const Ref<protocol::Dag> dag{session.client()};
  std::vector<std::string> names;
  for (std::uint32_t offset = 0;;) {
    const auto page =
        session.desk().await(dag.results([&](messages::NodeResultsRequest::Builder request) {
          request.setRun(run);
          request.setOffset(offset);
          request.setMax(kPageNodes);
        }));
    if (!page) return fail_ask(context, session, page.error());
    const auto nodes = (*page)->getNodes();
    for (const auto row : nodes) {
      if (row.getName() == node) {
        fmt::print(stderr, "symphony: no program of node {} has printed anything\n", node);
        return;
      }
      if (row.getParent() < 0) names.emplace_back(row.getName().cStr());
    }
    offset += nodes.size();
    if (nodes.size() == 0 || offset >= (*page)->getTotal()) break;
  }
  context.fail(bootstrap::kExitUsage, "run " + run + " has no node " + one_line(node) +
                                          runtime::suggestion_suffix(node, names));
}

void show_logs(Context& context, LogsArguments arguments) {
  const auto session = context.connect_or_start("runs");
  if (session == nullptr) return;
  auto ended = has_ended(context, *session, arguments.run);
  if (!ended) return;
  const Ref<protocol::NodeOutput> output{session->client()};
  OutputLines lines{arguments.node.empty(), ::isatty(1) != 0};
  std::uint64_t cursor = 0;
  bool silent = true;
  for (;;) {
    // Whoever waits at most this long sees the end of the run soon after it.
    const auto page = session->desk().await(
        output
            .read([&](messages::ReadOutputRequest::Builder request) {
              request.setRun(arguments.run);
              request.setCursor(cursor);
              request.setNode(arguments.node);
              request.setWait(arguments.follow && !*ended);
            })
            .within(arguments.follow && !*ended ? std::chrono::milliseconds(kFollowWait)
                                                : std::chrono::milliseconds(60'000)));
    if (!page) return fail_ask(context, *session, page.error());
    for (const auto piece : (*page)->getPieces()) {
      silent = false;
      if (context.json) {
        print_json(piece);
        continue;
      }
      const auto data = piece.getData();
      const auto text = lines.add({piece.getNode().cStr(),
                                   piece.getStartedNs(),
                                   piece.getStream() == messages::PrintedOn::ERR,
                                   piece.getOffset(),
                                   {reinterpret_cast<const char*>(data.begin()), data.size()}});
      std::fwrite(text.data(), 1, text.size(), stdout);
    }
    std::fflush(stdout);
    cursor = (*page)->getNext();
    if ((*page)->getMore() || ((*page)->getPieces().size() > 0 && arguments.follow)) continue;
    if (!arguments.follow || *ended) break;
    ended = has_ended(context, *session, arguments.run);
    if (!ended) return;
  }
  if (const auto rest = lines.finish(); !rest.empty())
    std::fwrite(rest.data(), 1, rest.size(), stdout);
  if (silent) explain_silence(context, *session, arguments.run, arguments.node);
}

}  // namespace

void add_runs_logs(CLI::App& runs, Context& context) {
  auto* logs = runs.add_subcommand("logs", "Show what programs printed that ran for a run's nodes");
  auto arguments = std::make_shared<LogsArguments>();
  logs->add_option("RUN", arguments->run, "The run, or the unique beginning of its id")->required();
  logs->add_option("NODE", arguments->node, "Only this node, with a mapped node's children");
  logs->add_flag("-f,--follow", arguments->follow, "Go on as they print, until the run has ended");
  logs->footer(
      "Of each attempt of a node the end is kept, 256 KiB; what was cut is told. In the order in\n"
      "which it was printed, with the node in front of each line unless NODE is given.\n"
      "Example: symphony runs logs 0192 compile[3] -f");
  logs->callback([&context, arguments] { show_logs(context, *arguments); });
}

}  // namespace symphony::cli
