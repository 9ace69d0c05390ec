// symphony runs, symphony runs show ID
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "actors/bootstrap/cli/context.hpp"
#include "actors/bootstrap/cli/run_view.hpp"
#include "actors/bootstrap/cli/runs_live.hpp"
#include "actors/bootstrap/cli/session.hpp"
#include "actors/bootstrap/cli/terminal.hpp"
#include "messages/dag.protocol.hpp"
#include "messages/json.hpp"
#include "messages/json_value.hpp"

namespace symphony::cli {
namespace {

constexpr std::uint32_t kPageRuns = 200;
constexpr std::uint32_t kPageNodes = 2000;
constexpr std::uint32_t kRunsShown = 20;
constexpr std::size_t kFailuresShown = 20;
constexpr int kErrorColumns = 120;

struct ListArguments {
  bool all = false;
  bool unfinished = false;
  bool follow = false;
  std::uint32_t lines = kRunsShown;
};

std::uint64_t total_of(messages::RunProgress::Reader counts) {
  return std::uint64_t{counts.getWaiting()} + counts.getReady() + counts.getRunning() +
         counts.getDone() + counts.getFailed() + counts.getSkipped() + counts.getCancelled();
}

std::string plural(std::uint64_t count, const char* what) {
  return human_count(count) + " " + what + (count == 1 ? "" : "s");
}

// ---- runs ---------------------------------------------------------------------------------------

// Hands each run to `take`, newest first.
template <class Take>
bool each_run(Context& context, Session& session, const ListArguments& arguments, Take&& take) {
  const Ref<protocol::Dag> dag{session.client()};
  std::string before;
  std::uint64_t left = arguments.all ? ~std::uint64_t{0} : arguments.lines;
  while (left > 0) {
    const auto page_size = static_cast<std::uint32_t>(std::min<std::uint64_t>(left, kPageRuns));
    const auto answer =
        session.desk().await(dag.list([&](messages::ListRunsRequest::Builder request) {
          request.setMax(page_size);
          request.setBefore(before);
          request.setUnfinished(arguments.unfinished);
        }));
    if (!answer) {
      fail_ask(context, session, answer.error());
      return false;
    }
    const auto runs = (*answer)->getRuns();
    for (const auto run : runs) take(run);
    if (runs.size() < page_size) return true;
    before = runs[runs.size() - 1].getRun().cStr();
    left -= runs.size();
  }
  return true;
}

void list_runs(Context& context, const ListArguments& arguments) {
  const auto session = context.connect_or_start("runs");
  if (session == nullptr) return;
  if (context.json) {
    each_run(context, *session, arguments, [](messages::RunRow::Reader run) {
      fmt::print("{}\n", to_json(capnp::DynamicStruct::Reader(run)));
    });
    return;
  }
  Table table{{"RUN", "MELODY", "STATUS", "NODES", "FAILED", "STARTED", "TOOK"},
              {false, false, false, true, true, false, true}};
  std::uint64_t rows = 0;
  const bool good = each_run(context, *session, arguments, [&](messages::RunRow::Reader run) {
    ++rows;
    const auto counts = run.getProgress();
    const auto took = std::max<std::int64_t>(run.getUpdatedNs() - run.getStartedNs(), 0);
    table.add({one_line(run.getRun().cStr()), one_line(run.getMelody().cStr()),
               word_of(run.getStatus()),
               human_count(counts.getDone()) + "/" + human_count(total_of(counts)),
               human_count(counts.getFailed()), local_time(run.getStartedNs()),
               human_duration_ns(static_cast<std::uint64_t>(took))});
  });
  if (!good) return;
  if (rows == 0)
    fmt::print("there are no runs yet; `symphony run MELODY` makes one\n");
  else
    std::fputs(table.text(colours(1)).c_str(), stdout);
}

// ---- runs show ----------------------------------------------------------------------------------

// Hands each page of a run's nodes to `take`; `brief`: without what they gave.
template <class Take>
bool each_page(Context& context, Session& session, const std::string& run, bool brief,
               Take&& take) {
  const Ref<protocol::Dag> dag{session.client()};
  std::uint32_t offset = 0;
  for (;;) {
    const auto answer =
        session.desk().await(dag.results([&](messages::NodeResultsRequest::Builder request) {
          request.setRun(run);
          request.setOffset(offset);
          request.setMax(kPageNodes);
          request.setBrief(brief);
        }));
    if (!answer) {
      fail_ask(context, session, answer.error());
      return false;
    }
    const auto nodes = (*answer)->getNodes();
    take(nodes);
    offset += nodes.size();
    if (nodes.size() == 0 || offset >= (*answer)->getTotal()) return true;
  }
}

void show_json(Context& context, Session& session, const Msg<messages::ShowRunResponse>& shown) {
  auto json = Json::parse(to_json(shown.words(), capnp::Schema::from<messages::ShowRunResponse>()));
  json["nodes"] = Json::array();
  const std::string run = shown->getRow().getRun();
  const bool good =
      each_page(context, session, run, false, [&](capnp::List<messages::NodeRow>::Reader nodes) {
        for (const auto node : nodes)
          json["nodes"].push_back(Json::parse(to_json(capnp::DynamicStruct::Reader(node))));
      });
  if (good) fmt::print("{}\n", json.dump());
}

void print_head(messages::ShowRunResponse::Reader shown) {
  const auto row = shown.getRow();
  const auto head = shown.getHead();
  const auto counts = row.getProgress();
  fmt::print("run {}\n", row.getRun().cStr());
  fmt::print("  melody         {} {} ({})\n", one_line(head.getMelody().cStr()),
             one_line(head.getVersion().cStr()), one_line(head.getFile().cStr()));
  fmt::print("  status         {}: {} of {} nodes done, {} failed, {} skipped, {} cancelled\n",
             word_of(row.getStatus()), human_count(counts.getDone()), human_count(total_of(counts)),
             human_count(counts.getFailed()), human_count(counts.getSkipped()),
             human_count(counts.getCancelled()));
  fmt::print("  started        {} on {} in {}\n", local_time(row.getStartedNs()),
             one_line(head.getHost().cStr()), one_line(head.getDirectory().cStr()));
  if (row.getFailure().size() > 0)
    fmt::print("  failed         {}\n", clip(one_line(row.getFailure().cStr()), kErrorColumns));
  if (row.getResumptions() > 0)
    fmt::print("  taken up       {}\n", plural(row.getResumptions(), "time"));
  const auto inputs = Json::parse(head.getInputsJson().cStr(), nullptr, false);
  if (inputs.is_object())
    for (const auto& input : inputs.items())
      fmt::print("  input          {} = {}\n", input.key(),
                 clip(one_line(input.value().dump(-1, ' ', false, Json::error_handler_t::replace)),
                      kErrorColumns));
  if (shown.getCriticalPath().size() > 0) {
    std::string path;
    for (const auto node : shown.getCriticalPath())
      path += (path.empty() ? "" : " → ") + one_line(node.cStr());
    fmt::print("  critical path  {} ({})\n", path,
               human_duration_ns(shown.getCriticalPathUs() * 1000));
  }
  fmt::print("\n");
}

void show_run(Context& context, const std::string& id, bool children) {
  const auto session = context.connect_or_start("runs");
  if (session == nullptr) return;
  const Ref<protocol::Dag> dag{session->client()};
  const auto shown = session->desk().await(
      dag.show([&](messages::ShowRunRequest::Builder request) { request.setRun(id); }));
  if (!shown) return fail_ask(context, *session, shown.error());
  if (context.json) return show_json(context, *session, *shown);
  print_head(**shown);
  Table table{{"NODE", "", "STATUS", "FAILED", "TOOK", "CHILDREN"},
              {false, false, false, true, true, true}};
  std::string failures;
  std::size_t failed = 0;
  const std::string run = (*shown)->getRow().getRun();
  const bool good =
      each_page(context, *session, run, true, [&](capnp::List<messages::NodeRow>::Reader nodes) {
        for (const auto node : nodes) {
          const auto name = one_line(node.getName().cStr());
          if (node.getStatus() == messages::NodeStatus::FAILED && ++failed <= kFailuresShown)
            failures += fmt::format("  {}: {}\n", name,
                                    text_block(node.getError().getMessage().cStr(), "    "));
          if (node.getParent() >= 0 && !children) continue;
          table.add(
              {name, node.getCritical() ? "◆" : "", word_of(node.getStatus()),
               node.getAttempts() == 0 ? "" : human_count(node.getAttempts()),
               node.getDurationUs() == 0 ? "" : human_duration_ns(node.getDurationUs() * 1000),
               node.getChildren() == 0 ? "" : human_count(node.getChildren())});
        }
      });
  if (!good) return;
  std::fputs(table.text(colours(1)).c_str(), stdout);
  if (failed > 0) fmt::print("\nfailures:\n{}", failures);
  if (failed > kFailuresShown)
    fmt::print("  … and {} more; --json lists all\n", human_count(failed - kFailuresShown));
}

}  // namespace

void add_runs_commands(CLI::App& app, Context& context) {
  auto* runs = app.add_subcommand("runs", "List what was run, newest first");
  runs->require_subcommand(0, 1);
  auto list = std::make_shared<ListArguments>();
  runs->add_flag("--all", list->all, "All of them, not only the latest");
  runs->add_flag("--unfinished", list->unfinished, "Only those that have not ended");
  runs->add_option("-n,--lines", list->lines, "How many")->capture_default_str();
  runs->add_flag("-f,--follow", list->follow,
                 "Instead of the list: a line for each run that began or ended since the node "
                 "started, then as it happens, until Ctrl-C; with --json a feed for programs");
  runs->footer(
      "Examples: symphony runs --unfinished\n"
      "          symphony runs show 0192\n"
      "          symphony runs --follow --json\n"
      "`symphony run --resume ID` takes up one that was cut short.");

  auto* show = runs->add_subcommand("show", "Show one run, node by node");
  auto id = std::make_shared<std::string>();
  auto children = std::make_shared<bool>(false);
  show->add_option("ID", *id, "The run, or the unique beginning of its id")->required();
  show->add_flag("--children", *children, "Also each child of a mapped node");
  show->footer(
      "◆ marks the nodes of the critical path: the run could not have ended sooner than they.\n"
      "Example: symphony runs show 0192 --json");
  show->callback([&context, id, children] { show_run(context, *id, *children); });
  add_runs_logs(*runs, context);

  auto* watch = runs->add_subcommand("watch", "Show a run that is under way until it ends");
  auto watched = std::make_shared<std::string>();
  watch->add_option("ID", *watched, "The run, or the unique beginning of its id")->required();
  watch->footer("Ctrl-C leaves; the run goes on. Exit codes as of `symphony run`.");
  watch->callback([&context, watched] { watch_one(context, *watched); });

  auto* cancel = runs->add_subcommand("cancel", "Cancel runs, and wait until nothing of them runs");
  auto cancelled = std::make_shared<std::vector<std::string>>();
  cancel->add_option("ID", *cancelled, "The runs, or the unique beginnings of their ids")
      ->required();
  cancel->footer("What was cancelled can be resumed: symphony run --resume ID");
  cancel->callback([&context, cancelled] { cancel_runs(context, *cancelled); });

  auto* remove = runs->add_subcommand("rm", "Forget runs, what their nodes gave and printed");
  auto removed = std::make_shared<std::vector<std::string>>();
  remove->add_option("ID", *removed, "The runs, or the unique beginnings of their ids")->required();
  remove->footer(
      "A run that is under way has to be cancelled first. Artifacts and files it wrote stay.\n"
      "Example: symphony runs rm 0192");
  remove->callback([&context, removed] { remove_runs(context, *removed); });

  runs->callback([&context, runs, list] {
    if (!runs->get_subcommands().empty()) return;
    list->follow ? follow_runs(context) : list_runs(context, *list);
  });
}

}  // namespace symphony::cli
