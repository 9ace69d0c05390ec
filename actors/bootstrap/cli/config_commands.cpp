// symphony config check, show, sample
#include <cstdio>
#include <sstream>
#include <string>

#include "actors/bootstrap/cli/context.hpp"
#include "runtime/settings/node_schema.hpp"
#include "runtime/settings/report.hpp"

namespace symphony::cli {
namespace {

void print(Context& context, const runtime::ConfigReport& report) {
  std::fputs(report.output.c_str(), stdout);
  if (context.json) {
    std::istringstream lines{report.errors};
    for (std::string line; std::getline(lines, line);) context.fail(report.exit_code, line);
  } else {
    std::fputs(report.errors.c_str(), stderr);
  }
  context.exit_code = report.exit_code;
}

}  // namespace

void add_config_commands(CLI::App& app, Context& context) {
  auto* config = app.add_subcommand("config", "Check and show settings");
  config->require_subcommand(1);

  auto* check = config->add_subcommand("check", "Find mistakes in the settings, all at once");
  auto file = std::make_shared<std::string>();
  check->add_option("FILE", *file, "The settings file (else the one a node would read)");
  check->callback([&context, file] {
    if (!file->empty()) context.config = *file;
    print(context, runtime::check_config(runtime::load_node_schema(), context.settings_input()));
  });

  auto* show = config->add_subcommand("show", "Show every setting and where it comes from");
  show->callback([&context] {
    print(context, runtime::show_config(runtime::load_node_schema(), context.settings_input(),
                                        context.json));
  });

  auto* sample =
      config->add_subcommand("sample", "Print a commented settings file with all defaults");
  sample->callback(
      [] { std::fputs(runtime::sample_config(runtime::load_node_schema()).c_str(), stdout); });
}

}  // namespace symphony::cli
