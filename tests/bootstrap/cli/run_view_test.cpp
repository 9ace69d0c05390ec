#include "actors/bootstrap/cli/run_view.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "actors/bootstrap/cli/terminal.hpp"
#include "messages/words.hpp"

namespace symphony::cli {
namespace {

using messages::NodeStatus;
using messages::RunEventKind;
using messages::RunStatus;

struct Node {
  std::string name;
  std::string operator_name;
  NodeStatus status = NodeStatus::WAITING;
  unsigned total = 1, done = 0, failed = 0;
  std::uint64_t elapsed_us = 0;
  bool critical = false;
  std::string error = {};
  bool mapped = false;
};

Msg<messages::RunProgressResponse> progress_of(const std::vector<Node>& nodes) {
  return Msg<messages::RunProgressResponse>::build([&](auto response) {
    response.setElapsedUs(12'340'000);
    auto list = response.initNodes(static_cast<unsigned>(nodes.size()));
    auto counts = response.initProgress();
    for (unsigned i = 0; i < nodes.size(); ++i) {
      const auto& node = nodes[i];
      list[i].setName(node.name);
      list[i].setOperator(node.operator_name);
      list[i].setStatus(node.status);
      list[i].setMapped(node.mapped);
      list[i].setTotal(node.total);
      list[i].setDone(node.done);
      list[i].setFailed(node.failed);
      list[i].setElapsedUs(node.elapsed_us);
      list[i].setCritical(node.critical);
      list[i].setError(node.error);
      switch (node.status) {
        case NodeStatus::DONE:
          counts.setDone(counts.getDone() + 1);
          break;
        case NodeStatus::FAILED:
          counts.setFailed(counts.getFailed() + 1);
          break;
        case NodeStatus::RUNNING:
          counts.setRunning(counts.getRunning() + 1);
          break;
        default:
          counts.setWaiting(counts.getWaiting() + 1);
      }
    }
  });
}

std::string screen(const std::vector<Node>& nodes, const ViewOptions& options) {
  std::string text;
  const auto progress = progress_of(nodes);
  for (const auto& line : progress_lines(*progress, "repo-report", options)) text += line + "\n";
  return text;
}

const std::vector<Node> kReport = {
    {"list", "file.glob", NodeStatus::DONE, 1, 1, 0, 412'000, true},
    {"scan", "code.scan", NodeStatus::RUNNING, 200, 50, 0, 3'100'000, true, "", true},
    {"blame", "git.blame", NodeStatus::FAILED, 20, 17, 3, 900'000, false, "no history\nhere", true},
    {"page", "report.page"},
};

TEST(RunView, ShowsEachNodeWithItsSignCountBarAndTime) {
  EXPECT_EQ(screen(kReport, {.columns = 80}),
            "repo-report  ━━━━━━━━━━━━━━━━━━╸──────────────────   50 %  2/4  1 failed  12.3 s\n"
            " ✓ list  ◆ file.glob                                                    412.0 ms\n"
            " ⠋ scan  ◆ code.scan    ━━━━━━──────────────────  50/200                   3.1 s\n"
            " ✗ blame   git.blame    17/20, 3 failed: no history\\nhere               900.0 ms\n"
            " · page    report.page  waiting\n");
}

TEST(RunView, LeavesTheOperatorsOutOnANarrowScreen) {
  EXPECT_EQ(screen(kReport, {.columns = 40}),
            "repo-report   50 %  2/4  1 failed  12.3…\n"
            " ✓ list  ◆                      412.0 ms\n"
            " ⠋ scan  ◆ ━━╸───────  50/200      3.1 s\n"
            " ✗ blame   17/20, 3 failed: …   900.0 ms\n"
            " · page    waiting\n");
}

TEST(RunView, KeepsWhatFailedAndWhatRunsWhenThereIsNoRoomForAll) {
  EXPECT_EQ(screen(kReport, {.columns = 60, .rows = 4}),
            "repo-report  ━━━━━━━━╸────────   50 %  2/4  1 failed  12.3 s\n"
            " ⠋ scan  ◆ ━━━━━━──────────────────  50/200            3.1 s\n"
            " ✗ blame   17/20, 3 failed: no history\\nhere        900.0 ms\n"
            " … 1 waiting, 1 done\n");
}

TEST(RunView, SaysThatTheRunIsBeingCancelled) {
  const auto text = screen({kReport[0]}, {.columns = 70, .cancelling = true});
  EXPECT_NE(text.find("cancelling"), std::string::npos) << text;
}

RC_GTEST_PROP(RunView, NeverDrawsOutsideOfTheScreen, ()) {
  const ViewOptions options{.columns = *rc::gen::inRange(20, 200),
                            .rows = *rc::gen::inRange(3, 30),
                            .frame = *rc::gen::inRange(0U, 100U)};
  const auto nodes = *rc::gen::container<std::vector<Node>>(rc::gen::construct<Node>(
      rc::gen::map(rc::gen::inRange(1, 60), [](int size) { return std::string(size, 'n'); }),
      rc::gen::element<std::string>("file.glob", "a.very.long.operator.name", ""),
      rc::gen::element(NodeStatus::WAITING, NodeStatus::RUNNING, NodeStatus::DONE,
                       NodeStatus::FAILED, NodeStatus::SKIPPED, NodeStatus::CANCELLED),
      rc::gen::inRange(0U, 2'000'000U), rc::gen::inRange(0U, 2'000'000U),
      rc::gen::inRange(0U, 2'000'000U), rc::gen::arbitrary<std::uint64_t>(),
      rc::gen::arbitrary<bool>(), rc::gen::arbitrary<std::string>(), rc::gen::arbitrary<bool>()));
  const auto progress = progress_of(nodes);
  const auto lines = progress_lines(*progress, "melody", options);
  RC_ASSERT(lines.size() <= static_cast<std::size_t>(options.rows));
  for (const auto& line : lines) RC_ASSERT(text_columns(line) <= options.columns);
}

std::optional<std::string> line_of(RunEventKind kind, const std::string& node,
                                   const std::string& error = "") {
  const auto event = Msg<messages::RunEvent>::build([&](auto out) {
    out.setKind(kind);
    out.setNode(node);
    out.setDurationUs(1'500);
    out.setChildren(12'000);
    out.initError().setMessage(error);
  });
  return event_line(*event);
}

TEST(RunView, TellsEventsThatMatterALineEach) {
  EXPECT_EQ(line_of(RunEventKind::NODE_DONE, "scan"), "scan: done in 1.5 ms");
  EXPECT_EQ(line_of(RunEventKind::NODE_EXPANDED, "scan"), "scan: 12,000 to do");
  EXPECT_EQ(line_of(RunEventKind::NODE_FAILED, "scan[3]", "no \x1b[31m file"),
            "scan[3]: failed after 1.5 ms: no \\x1b[31m file");
  EXPECT_EQ(line_of(RunEventKind::NODE_RETRYING, "scan[3]", "busy"), "scan[3]: trying again: busy");
}

TEST(RunView, KeepsSilentAboutChildrenThatEndWell) {
  EXPECT_EQ(line_of(RunEventKind::NODE_DONE, "scan[3]"), std::nullopt);
  EXPECT_EQ(line_of(RunEventKind::NODE_SKIPPED, "scan[3]"), std::nullopt);
  EXPECT_EQ(line_of(RunEventKind::NODE_STARTED, "scan"), std::nullopt);
}

TEST(RunView, SumsUpARunThatSucceeded) {
  const auto summary = Msg<messages::RunSummary>::build([](auto out) {
    out.setStatus(RunStatus::SUCCEEDED);
    out.setElapsedUs(12'340'000);
    out.setExecuted(1234);
    out.setArtifacts(2);
    out.setArtifactBytes(3 << 20);
    out.setCriticalPathUs(9'000'000);
    auto path = out.initCriticalPath(2);
    path.set(0, "list");
    path.set(1, "page");
    out.setOutputsJson(R"({"html":"/tmp/a b/index.html","files":1234})");
  });
  EXPECT_EQ(summary_text(*summary, "repo-report", "0192", {}),
            "✓ repo-report succeeded in 12.3 s: 1,234 nodes run, 2 artifacts stored (3.0 MiB)\n"
            "critical path, 9.0 s: list → page\n"
            "outputs:\n"
            "  files  1234\n"
            "  html   /tmp/a b/index.html\n");
}

TEST(RunView, SumsUpARunThatFailedWithWhatToDoNext) {
  const auto summary = Msg<messages::RunSummary>::build([](auto out) {
    out.setStatus(RunStatus::FAILED);
    out.setElapsedUs(1'000'000);
    out.setExecuted(1);
    auto failures = out.initFailures(1);
    failures[0].setNode("scan[3]");
    failures[0].getError().setMessage("cannot open \"x\"");
    failures[0].getError().setField("path");
  });
  EXPECT_EQ(summary_text(*summary, "m", "0192", {}),
            "✗ m failed after 1.0 s: 1 node run, 0 artifacts stored\n"
            "failures:\n"
            "  scan[3]: cannot open \"x\" (path)\n"
            "`symphony run --resume 0192 --again` takes it up again.\n");
}

TEST(RunView, TellsThatACancelledRunGoesOnWithoutMuchAdo) {
  const auto summary =
      Msg<messages::RunSummary>::build([](auto out) { out.setStatus(RunStatus::CANCELLED); });
  EXPECT_TRUE(summary_text(*summary, "m", "0192", {})
                  .ends_with("`symphony run --resume 0192` takes it up again.\n"));
}

}  // namespace
}  // namespace symphony::cli
