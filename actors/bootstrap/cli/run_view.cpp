#include "actors/bootstrap/cli/run_view.hpp"

#include <capnp/schema.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "actors/bootstrap/cli/context.hpp"
#include "actors/bootstrap/cli/terminal.hpp"
#include "messages/json_value.hpp"
#include "messages/result.hpp"

namespace symphony::cli {
namespace {

using messages::MelodyNodeProgress;
using messages::NodeStatus;
using messages::RunEventKind;
using messages::RunStatus;

constexpr int kNameColumnsMax = 32;
constexpr int kOperatorColumnsMax = 20;
constexpr int kTimeColumns = 10;
constexpr int kBarColumnsMin = 8;
constexpr int kBarColumnsMax = 40;
constexpr std::size_t kShownFailuresMax = 20;
constexpr std::size_t kShownPathMax = 12;
constexpr int kOutputColumnsMax = 2000;
constexpr int kLineColumnsMax = 100;  // the eye does not follow from a name to a time far away

constexpr std::array kSpinner{"⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"};

constexpr const char* kBold = "\x1b[1m";
constexpr const char* kDim = "\x1b[2m";
constexpr const char* kRed = "\x1b[31m";
constexpr const char* kGreen = "\x1b[32m";
constexpr const char* kYellow = "\x1b[33m";
constexpr const char* kCyan = "\x1b[36m";

class Paint {
 public:
  explicit Paint(bool coloured) : coloured_(coloured) {}
  std::string operator()(const char* colour, const std::string& text) const {
    return coloured_ && !text.empty() ? colour + text + "\x1b[0m" : text;
  }

 private:
  bool coloured_;
};

std::string microseconds(std::uint64_t us) { return human_duration_ns(us * 1000); }

template <class E>
const char* enumerant(E value) {
  const auto all = capnp::Schema::from<E>().getEnumerants();
  const auto ordinal = static_cast<unsigned>(value);
  return ordinal < all.size() ? all[ordinal].getProto().getName().cStr() : "unknown";
}

// ---- the display --------------------------------------------------------------------------------

struct Look {
  const char* sign;
  const char* colour;
};

Look look_of(MelodyNodeProgress::Reader node, unsigned frame) {
  switch (node.getStatus()) {
    case NodeStatus::DONE:
      return {"✓", kGreen};
    case NodeStatus::FAILED:
      return {"✗", kRed};
    case NodeStatus::RUNNING:
      return {kSpinner[frame % kSpinner.size()], node.getFailed() > 0 ? kRed : kCyan};
    case NodeStatus::SKIPPED:
      return {"-", kDim};
    case NodeStatus::CANCELLED:
      return {"✗", kYellow};
    default:
      return {"·", kDim};
  }
}

bool has_children(MelodyNodeProgress::Reader node) {
  return node.getMapped() && (node.getTotal() > 1 || node.getRunning() + node.getDone() > 0);
}

// How much of the node is behind us, if it tells; negative: it does not.
double fraction_of(MelodyNodeProgress::Reader node) {
  if (node.getMapped() && node.getTotal() > 0)
    return static_cast<double>(node.getDone() + node.getFailed()) / node.getTotal();
  return node.getFraction() > 0 ? node.getFraction() : -1;
}

std::string count_of(MelodyNodeProgress::Reader node) {
  auto text = human_count(node.getDone()) + "/" + human_count(node.getTotal());
  if (node.getFailed() > 0) text += fmt::format(", {} failed", human_count(node.getFailed()));
  return text;
}

// What stands behind the operator of a node, at most `columns` wide; `painted` may be longer by
// its colours.
std::string node_state(MelodyNodeProgress::Reader node, int columns, const Paint& paint) {
  const auto counts = has_children(node) ? count_of(node) : std::string{};
  switch (node.getStatus()) {
    case NodeStatus::RUNNING: {
      const double fraction = fraction_of(node);
      if (fraction < 0) return {};
      auto behind = counts.empty() ? fmt::format("{:.0f} %", fraction * 100) : counts;
      const int room = columns - text_columns(behind) - 2;
      if (room < kBarColumnsMin) return clip(behind, columns);
      return paint(node.getFailed() > 0 ? kRed : kCyan, bar(fraction, std::min(room, 24))) + "  " +
             behind;
    }
    case NodeStatus::FAILED: {
      auto text = counts.empty() ? std::string{} : counts;
      const auto error = one_line(node.getError().cStr());
      if (!error.empty()) text += (text.empty() ? "" : ": ") + error;
      return paint(kRed, clip(text.empty() ? "failed" : text, columns));
    }
    case NodeStatus::DONE:
      return clip(counts, columns);
    case NodeStatus::SKIPPED:
      return paint(kDim, clip("skipped", columns));
    case NodeStatus::CANCELLED:
      return paint(kYellow, clip("cancelled", columns));
    default:
      return paint(kDim, clip("waiting", columns));
  }
}

struct Columns {
  int name = 0;
  int operator_name = 0;
};

std::string node_line(MelodyNodeProgress::Reader node, const Columns& widths,
                      const ViewOptions& options) {
  const Paint paint{options.coloured};
  const auto look = look_of(node, options.frame);
  const bool waits = node.getStatus() == NodeStatus::WAITING ||
                     node.getStatus() == NodeStatus::READY ||
                     node.getStatus() == NodeStatus::SKIPPED;
  const auto name = fit(one_line(node.getName().cStr()), widths.name);
  std::string line = " " + paint(look.colour, look.sign) + " " + (waits ? paint(kDim, name) : name);
  line += node.getCritical() ? paint(kYellow, " ◆ ") : "   ";
  int left = options.columns - 3 - widths.name - 3;
  if (widths.operator_name > 0) {
    line += paint(kDim, fit(one_line(node.getOperator().cStr()), widths.operator_name)) + "  ";
    left -= widths.operator_name + 2;
  }
  const bool timed = node.getElapsedUs() > 0 && !waits;
  const int room = std::max(left - (timed ? kTimeColumns + 1 : 0), 0);
  line += node_state(node, room, paint);
  if (!timed) return line;
  // Colours take no columns: count what is seen.
  const int seen = text_columns(node_state(node, room, Paint{false}));
  const auto time = microseconds(node.getElapsedUs());
  const int gap = left - seen - text_columns(time);
  if (gap < 1) return line;
  return line + std::string(static_cast<std::size_t>(gap), ' ') + paint(kDim, time);
}

std::string heading(messages::RunProgressResponse::Reader progress, const std::string& melody,
                    const ViewOptions& options) {
  const Paint paint{options.coloured};
  const auto counts = progress.getProgress();
  const std::uint64_t ended = std::uint64_t{counts.getDone()} + counts.getFailed() +
                              counts.getSkipped() + counts.getCancelled();
  const std::uint64_t total = ended + counts.getWaiting() + counts.getReady() + counts.getRunning();
  const double fraction = total == 0 ? 0 : static_cast<double>(ended) / static_cast<double>(total);
  std::string behind =
      fmt::format("{:3.0f} %  {}/{}", fraction * 100, human_count(ended), human_count(total));
  if (counts.getFailed() > 0) behind += fmt::format("  {} failed", human_count(counts.getFailed()));
  behind += "  " + microseconds(progress.getElapsedUs());
  if (options.cancelling) behind += "  cancelling";
  const auto name = clip(one_line(melody), std::max(options.columns / 3, 8));
  const int room = options.columns - text_columns(name) - text_columns(behind) - 4;
  if (room < kBarColumnsMin) return paint(kBold, clip(name + "  " + behind, options.columns));
  const auto* colour = counts.getFailed() > 0 ? kRed : options.cancelling ? kYellow : kGreen;
  return paint(kBold, name) + "  " + paint(colour, bar(fraction, std::min(room, kBarColumnsMax))) +
         "  " + behind;
}

// What a person wants to see first when there is not room for all.
int importance(NodeStatus status) {
  switch (status) {
    case NodeStatus::FAILED:
      return 0;
    case NodeStatus::RUNNING:
      return 1;
    case NodeStatus::READY:
      return 2;
    case NodeStatus::WAITING:
      return 3;
    default:
      return 4;
  }
}

// Which nodes are shown in `rows` lines, as the melody orders them.
std::vector<unsigned> chosen_nodes(capnp::List<MelodyNodeProgress>::Reader nodes,
                                   std::size_t rows) {
  std::vector<unsigned> chosen(nodes.size());
  for (unsigned i = 0; i < nodes.size(); ++i) chosen[i] = i;
  if (chosen.size() <= rows) return chosen;
  std::stable_sort(chosen.begin(), chosen.end(), [&](unsigned a, unsigned b) {
    return importance(nodes[a].getStatus()) < importance(nodes[b].getStatus());
  });
  chosen.resize(rows);
  std::sort(chosen.begin(), chosen.end());
  return chosen;
}

// "… 12 done, 30 waiting" for those that are not shown.
std::string others_line(capnp::List<MelodyNodeProgress>::Reader nodes,
                        const std::vector<unsigned>& chosen, const ViewOptions& options) {
  std::array<unsigned, 7> counts{};
  for (unsigned i = 0; i < nodes.size(); ++i)
    if (!std::binary_search(chosen.begin(), chosen.end(), i)) {
      const auto status = static_cast<unsigned>(nodes[i].getStatus());
      if (status < counts.size()) ++counts[status];
    }
  std::string text;
  for (unsigned status = 0; status < counts.size(); ++status)
    if (counts[status] > 0)
      text += fmt::format("{}{} {}", text.empty() ? "" : ", ", human_count(counts[status]),
                          word_of(static_cast<NodeStatus>(status)));
  return Paint{options.coloured}(kDim, clip(" … " + text, options.columns));
}

// ---- the end ------------------------------------------------------------------------------------

std::string join_path(capnp::List<capnp::Text>::Reader path) {
  std::string text;
  const auto size = path.size();
  for (unsigned i = 0; i < size; ++i) {
    if (size > kShownPathMax && i == kShownPathMax / 2) {
      text += " → …";
      i = size - static_cast<unsigned>(kShownPathMax / 2);
    }
    text += (text.empty() ? "" : " → ") + one_line(path[i].cStr());
  }
  return text;
}

// Text is shown whole as far as is sane, so that a path can be copied; lists and objects in a line.
std::string output_value(const Json& value, int columns) {
  if (value.is_string())
    return clip(one_line(value.get_ref<const std::string&>()), kOutputColumnsMax);
  return clip(one_line(value.dump(-1, ' ', false, Json::error_handler_t::replace)), columns);
}

std::string outputs_text(const std::string& json, int columns) {
  const auto outputs = Json::parse(json, nullptr, false);
  if (!outputs.is_object() || outputs.empty()) return {};
  int width = 0;
  for (const auto& item : outputs.items()) width = std::max(width, text_columns(item.key()));
  std::string text;
  for (const auto& item : outputs.items())
    text += fmt::format("  {}  {}\n", fit(item.key(), width),
                        output_value(item.value(), columns - width - 4));
  return text;
}

std::string failures_text(capnp::List<messages::NodeFailure>::Reader failures, const Paint& paint) {
  std::string text;
  std::size_t shown = 0;
  for (const auto failure : failures) {
    if (shown++ == kShownFailuresMax) {
      text += fmt::format("  … and {} more\n", failures.size() - kShownFailuresMax);
      break;
    }
    const auto error = failure.getError();
    text += "  " + paint(kRed, one_line(failure.getNode().cStr())) + ": " +
            text_block(error.getMessage().cStr(), "    ");
    if (error.getField().size() > 0) text += " (" + one_line(error.getField().cStr()) + ")";
    text += "\n";
  }
  return text;
}

}  // namespace

const char* word_of(RunStatus status) { return enumerant(status); }
const char* word_of(NodeStatus status) { return enumerant(status); }

std::vector<std::string> progress_lines(messages::RunProgressResponse::Reader progress,
                                        const std::string& melody, const ViewOptions& given) {
  auto options = given;
  options.columns = std::min(options.columns, kLineColumnsMax);
  std::vector<std::string> lines{heading(progress, melody, options)};
  const auto nodes = progress.getNodes();
  const auto rows = static_cast<std::size_t>(std::max(options.rows, 2)) - 1;
  const bool all = nodes.size() <= rows;
  const auto chosen = chosen_nodes(nodes, all ? rows : rows - 1);
  Columns widths;
  for (const auto index : chosen) {
    widths.name = std::max(widths.name, text_columns(nodes[index].getName().cStr()));
    widths.operator_name =
        std::max(widths.operator_name, text_columns(nodes[index].getOperator().cStr()));
  }
  widths.name = std::min({widths.name, kNameColumnsMax, std::max(options.columns / 2 - 6, 4)});
  widths.operator_name = std::min(widths.operator_name, kOperatorColumnsMax);
  // On a narrow screen the state is worth more than the operator.
  if (options.columns - widths.name - widths.operator_name < 48) widths.operator_name = 0;
  for (const auto index : chosen) lines.push_back(node_line(nodes[index], widths, options));
  if (!all) lines.push_back(others_line(nodes, chosen, options));
  return lines;
}

std::optional<std::string> event_line(messages::RunEvent::Reader event) {
  const auto name = one_line(event.getNode().cStr());
  const bool child = !name.empty() && name.back() == ']';
  const auto error = [&] { return headline(event.getError().getMessage().cStr()); };
  const auto time = microseconds(event.getDurationUs());
  switch (event.getKind()) {
    case RunEventKind::NODE_DONE:
      if (child) return std::nullopt;
      return fmt::format("{}: done in {}", name, time);
    case RunEventKind::NODE_FAILED:
      return fmt::format("{}: failed after {}: {}", name, time, error());
    case RunEventKind::NODE_RETRYING:
      return fmt::format("{}: trying again: {}", name, error());
    case RunEventKind::NODE_SKIPPED:
      if (child) return std::nullopt;
      return fmt::format("{}: skipped", name);
    case RunEventKind::NODE_EXPANDED:
      return fmt::format("{}: {} to do", name, human_count(event.getChildren()));
    case RunEventKind::NODE_CANCELLED:
      if (child) return std::nullopt;
      return fmt::format("{}: cancelled", name);
    default:
      return std::nullopt;
  }
}

std::string summary_text(messages::RunSummary::Reader summary, const std::string& melody,
                         const std::string& run, const ViewOptions& options) {
  const Paint paint{options.coloured};
  const auto status = summary.getStatus();
  const bool good = status == RunStatus::SUCCEEDED;
  const auto* colour = good ? kGreen : status == RunStatus::CANCELLED ? kYellow : kRed;
  std::string text = paint(colour, good ? "✓" : "✗") + " " + paint(kBold, one_line(melody));
  text += fmt::format(" {} {} {}: {} node{} run, {} artifact{} stored", word_of(status),
                      good ? "in" : "after", microseconds(summary.getElapsedUs()),
                      human_count(summary.getExecuted()), summary.getExecuted() == 1 ? "" : "s",
                      human_count(summary.getArtifacts()), summary.getArtifacts() == 1 ? "" : "s");
  if (summary.getArtifacts() > 0)
    text += fmt::format(" ({})", human_bytes(summary.getArtifactBytes()));
  text += "\n";
  if (summary.getCriticalPath().size() > 0)
    text += fmt::format("critical path, {}: {}\n", microseconds(summary.getCriticalPathUs()),
                        join_path(summary.getCriticalPath()));
  if (summary.getFailures().size() > 0)
    text += "failures:\n" + failures_text(summary.getFailures(), paint);
  const auto outputs = outputs_text(summary.getOutputsJson().cStr(), options.columns);
  if (!outputs.empty()) text += "outputs:\n" + outputs;
  if (status == RunStatus::FAILED || status == RunStatus::CANCELLED)
    text += fmt::format("`symphony run --resume {}{}` takes it up again.\n", run,
                        status == RunStatus::FAILED ? " --again" : "");
  return text;
}

}  // namespace symphony::cli
