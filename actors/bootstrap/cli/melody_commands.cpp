// symphony operators, symphony melody check, show, graph: what needs no node.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "actors/bootstrap/cli/context.hpp"
#include "actors/bootstrap/cli/melody_file.hpp"
#include "actors/bootstrap/cli/terminal.hpp"
#include "actors/orchestration/melody/render.hpp"
#include "actors/orchestration/operator_help.hpp"
#include "extensions/operators/operators.hpp"
#include "messages/json_value.hpp"

namespace symphony::cli {
namespace {

constexpr int kColumnsWhenPiped = 100;
constexpr int kColumnsMax = 120;  // longer lines are hard to read

actors::OperatorRegistry built_in_operators() {
  actors::OperatorRegistry registry;
  extensions::add_builtin_operators(registry);
  return registry;
}

// ---- operators ----------------------------------------------------------------------------------

void operators(Context& context, const std::string& name) {
  const auto registry = built_in_operators();
  const int columns =
      ::isatty(1) != 0 ? std::min(screen_size(1).columns, kColumnsMax) : kColumnsWhenPiped;
  if (name.empty()) {
    if (context.json)
      fmt::print("{}\n", actors::operators_help_json(registry).dump());
    else
      std::fputs(actors::operators_help_text(registry, columns).c_str(), stdout);
    return;
  }
  if (context.json) {
    const auto page = actors::operator_help_json(registry, name);
    if (!page) return context.fail(bootstrap::kExitUsage, page.error().message);
    fmt::print("{}\n", page->dump());
    return;
  }
  const auto page = actors::operator_help_text(registry, name, columns);
  if (!page) return context.fail(bootstrap::kExitUsage, page.error().message);
  std::fputs(page->c_str(), stdout);
}

// ---- melody -------------------------------------------------------------------------------------

// The melody in a file; prints why not and gives nothing when it cannot be read.
std::optional<actors::LoadedMelody> load(Context& context, const std::string& named) {
  const auto melody = read_melody(named);
  if (!melody) {
    context.fail(bootstrap::kExitUsage, melody.error().message);
    return std::nullopt;
  }
  return actors::load_melody(melody->text, melody->name, built_in_operators());
}

// The plan of a melody that has no problems; else they are printed.
std::optional<actors::Plan> load_plan(Context& context, const std::string& file) {
  auto loaded = load(context, file);
  if (!loaded) return std::nullopt;
  context.fail(loaded->problems);
  return std::move(loaded->plan);
}

Json to_json(const runtime::Problems& problems) {
  Json list = Json::array();
  for (const auto& problem : problems)
    list.push_back({{"file", std::string{problem.mark.name()}},
                    {"line", problem.mark.line()},
                    {"column", problem.mark.column()},
                    {"key", problem.path},
                    {"message", problem.message},
                    {"suggestion", problem.suggestion},
                    {"text", problem.text()}});
  return list;
}

std::string warning_lines(const runtime::Problems& warnings) {
  std::string lines;
  for (const auto& warning : warnings) lines += "warning: " + warning.text() + "\n";
  return lines;
}

std::string how_many(std::size_t count, const char* what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

void check(Context& context, const std::vector<std::string>& files) {
  for (const auto& file : files) {
    const auto loaded = load(context, file);
    if (!loaded) continue;
    if (!loaded->problems.empty()) context.exit_code = bootstrap::kExitUsage;
    if (context.json) {
      fmt::print("{}\n", Json{{"file", file},
                              {"ok", loaded->problems.empty()},
                              {"problems", to_json(loaded->problems)},
                              {"warnings", to_json(loaded->warnings)}}
                             .dump(-1, ' ', false, Json::error_handler_t::replace));
      continue;
    }
    std::fputs(loaded->problems.text().c_str(), stderr);
    std::fputs(warning_lines(loaded->warnings).c_str(), stderr);
    if (loaded->plan)
      fmt::print("{}: {} is good: {}, {}, {}\n", file, loaded->plan->name,
                 how_many(loaded->plan->nodes.size(), "node"),
                 how_many(loaded->plan->inputs.size(), "input"),
                 how_many(loaded->plan->outputs.size(), "output"));
    else
      fmt::print(stderr, "{}: {}\n", file, how_many(loaded->problems.size(), "problem"));
  }
}

void show(Context& context, const std::string& file) {
  const auto plan = load_plan(context, file);
  if (!plan) return;
  if (context.json)
    fmt::print("{}\n", actors::to_json(*plan).dump());
  else
    std::fputs(actors::render_text(*plan).c_str(), stdout);
}

void graph(Context& context, const std::string& file, const std::string& format) {
  const auto plan = load_plan(context, file);
  if (!plan) return;
  const auto drawing = format == "dot" ? actors::to_dot(*plan) : actors::render_text(*plan);
  std::fputs(drawing.c_str(), stdout);
}

}  // namespace

void add_melody_commands(CLI::App& app, Context& context) {
  auto* help = app.add_subcommand("operators", "List what melodies can be made of");
  auto name = std::make_shared<std::string>();
  help->add_option("NAME", *name, "Only this one, with its arguments and results");
  help->footer("Examples: symphony operators\n          symphony operators file.glob");
  help->callback([&context, name] { operators(context, *name); });

  auto* melody = app.add_subcommand("melody", "Check, show and draw melodies");
  melody->require_subcommand(1);
  melody->footer(
      "Examples: symphony melody check config/melodies/*.toml\n"
      "          symphony melody graph --format dot report.toml | dot -Tsvg > report.svg\n"
      "No node is needed. Exit code 2 when there is a problem.");

  auto* checker = melody->add_subcommand("check", "Find everything that is wrong with a melody");
  auto files = std::make_shared<std::vector<std::string>>();
  checker->add_option("FILE", *files, "The melodies")->required();
  checker->footer("Prints a line a problem, as in \"report.toml:12: …\", and exits with 2.");
  checker->callback([&context, files] { check(context, *files); });

  auto* shower = melody->add_subcommand("show", "Show inputs, nodes in order, and outputs");
  auto shown = std::make_shared<std::string>();
  shower->add_option("FILE", *shown, "The melody")->required();
  shower->footer("Example: symphony melody show config/melodies/repo-report.toml");
  shower->callback([&context, shown] { show(context, *shown); });

  auto* drawer = melody->add_subcommand("graph", "Draw what depends on what");
  auto drawn = std::make_shared<std::string>();
  auto format = std::make_shared<std::string>("text");
  drawer->add_option("FILE", *drawn, "The melody")->required();
  drawer->add_option("--format", *format, "text, or dot for Graphviz")
      ->check(CLI::IsMember({"text", "dot"}))
      ->capture_default_str();
  drawer->footer("Example: symphony melody graph --format dot FILE | dot -Tsvg > melody.svg");
  drawer->callback([&context, drawn, format] { graph(context, *drawn, *format); });
}

}  // namespace symphony::cli
