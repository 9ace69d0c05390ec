#include "actors/bootstrap/cli/command.hpp"

#include <cstdio>
#include <memory>
#include <string>

#include "actors/bootstrap/cli/context.hpp"

namespace symphony::cli {
namespace {

constexpr const char* kAbout =
    "Symphony: an actor-model runtime for AI-development work.\n"
    "`symphony run MELODY` runs a workflow; `symphony node` keeps a node running.";

constexpr const char* kFooter =
    "`symphony help COMMAND` tells more. Exit codes: 0 done, 1 failed, 2 bad arguments, settings "
    "or\n"
    "melody, 3 no node answers, 4 name taken, 5 boot failed, 6 escalated, 7 stop timed out,\n"
    "8 workers lost, 130 cancelled.";

void add_help_command(CLI::App& app, Context& context) {
  auto* help = app.add_subcommand("help", "Tell how a command is used");
  auto path = std::make_shared<std::vector<std::string>>();
  help->add_option("COMMAND", *path, "The command, and its subcommand");
  help->callback([&app, &context, path] {
    const CLI::App* found = &app;
    std::string usage = "symphony";
    for (const auto& word : *path) {
      const auto commands = found->get_subcommands(
          [&](const CLI::App* command) { return command->get_name() == word; });
      if (commands.empty())
        return context.fail(bootstrap::kExitUsage,
                            "there is no command \"" + word + "\"; `symphony --help` lists them");
      found = commands.front();
      usage += " " + word;
    }
    // Not found->help(), which would tell about the command that was given: this one.
    const auto text = found->get_formatter()->make_help(found, usage, CLI::AppFormatMode::Normal);
    std::fputs(text.c_str(), stdout);
  });
}

}  // namespace

int run_command(int argc, char** argv, std::vector<runtime::ChildPlan> extra) {
  Context context;
  context.extra = std::move(extra);
  CLI::App app{kAbout, "symphony"};
  app.footer(kFooter);
  app.set_version_flag("--version", "symphony " SYMPHONY_VERSION);
  app.require_subcommand(1);
  app.fallthrough();  // the options below may stand behind a command
  app.add_option("--node", context.node, "The node to talk to (else $SYMPHONY_NODE, else \"main\")")
      ->type_name("NAME");
  app.add_option("--config", context.config, "Settings file (else $SYMPHONY_CONFIG)")
      ->type_name("FILE");
  app.add_option("--set", context.sets, "One setting, as section.key=value; may be repeated")
      ->type_name("KEY=VALUE")
      ->take_all()
      ->expected(1)
      ->allow_extra_args(false);
  app.add_flag("--json", context.json, "Print JSON for programs");
  add_node_commands(app, context);
  add_component_commands(app, context);
  add_log_command(app, context);
  add_config_commands(app, context);
  add_melody_commands(app, context);
  add_artifact_commands(app, context);
  add_run_command(app, context);
  add_runs_commands(app, context);
  add_help_command(app, context);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& done) {
    return app.exit(done);
  } catch (const CLI::ParseError& error) {
    app.exit(error);
    return bootstrap::kExitUsage;
  }
  return context.exit_code;
}

}  // namespace symphony::cli
