#include "actors/bootstrap/cli/command.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "actors/bootstrap/cli/context.hpp"
#include "actors/bootstrap/cli/output.hpp"
#include "runtime/system/allocator.hpp"
#include "runtime/text/suggest.hpp"

namespace symphony::cli {
namespace {

constexpr const char* kAbout =
    "Symphony: an actor-model runtime for AI-development work.\n"
    "`symphony run MELODY` runs a workflow; `symphony node` keeps a node running.";

constexpr const char* kFooter =
    "`symphony help COMMAND` tells more. Exit codes: 0 done, 1 failed, 2 bad arguments, settings "
    "or\n"
    "melody, 3 no node answers, 4 name taken, 5 boot failed, 6 escalated, 7 stop timed out,\n"
    "8 workers lost, 130 cancelled; 129 and 143 by SIGHUP and SIGTERM. With --json errors are\n"
    "JSON too, an object a line on standard error.";

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

// The command that was given, as far as it was understood.
const CLI::App* given_command(const CLI::App& app) {
  const CLI::App* found = &app;
  while (!found->get_subcommands().empty()) found = found->get_subcommands().back();
  return found;
}

std::string usage_of(const CLI::App* command) {
  const auto* const parent = command->get_parent();
  return parent == nullptr ? command->get_name() : usage_of(parent) + " " + command->get_name();
}

// The options of a command and, since they may stand behind it, those of the commands around it.
std::vector<std::string> option_names(const CLI::App* command) {
  std::vector<std::string> names;
  for (; command != nullptr; command = command->get_parent())
    for (const auto* option : command->get_options())
      for (const auto& name : option->get_lnames()) names.push_back("--" + name);
  return names;
}

// One sentence about arguments that make no sense.
std::string explain(const CLI::App& app, const CLI::ParseError& error) {
  const CLI::App* const command = given_command(app);
  const auto see = "; see `" + usage_of(command) + " --help`";
  const auto rest = app.remaining(true);
  if (rest.empty()) return error.what() + see;
  const std::string& word = rest.front();
  if (word.starts_with('-'))
    return "there is no option " + word +
           runtime::suggestion_suffix(word.substr(0, word.find('=')), option_names(command)) + see;
  std::vector<std::string> commands;
  for (const auto* known : command->get_subcommands([](const CLI::App*) { return true; }))
    commands.push_back(known->get_name());
  if (commands.empty()) return "\"" + word + "\" is one argument too many" + see;
  return "there is no command \"" + word + "\"" + runtime::suggestion_suffix(word, commands) + see;
}

// Parses and carries out. An exception says that the output is lost, or is a bug.
int carry_out(Context& context, int argc, char** argv) {
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
    std::ostringstream out;
    const int code = app.exit(done, out, out);
    std::fputs(out.str().c_str(), stdout);
    return code;
  } catch (const CLI::ParseError& error) {
    // Where parsing ended before it came to --json.
    context.json =
        std::any_of(argv, argv + argc, [](std::string_view word) { return word == "--json"; });
    context.fail(bootstrap::kExitUsage, explain(app, error));
  }
  return context.exit_code;
}

}  // namespace

int run_command(int argc, char** argv, std::vector<runtime::ChildPlan> extra) {
  runtime::bound_allocator();
  take_over_standard_output();
  Context context;
  context.extra = std::move(extra);
  try {
    context.exit_code = carry_out(context, argc, argv);
  } catch (const std::exception& error) {
    if (finish_standard_output()) context.fail(bootstrap::kExitFailed, error.what());
  }
  if (const auto written = finish_standard_output(); !written) {
    const int code = context.exit_code;
    context.fail(code == bootstrap::kExitOk ? int{bootstrap::kExitFailed} : code,
                 written.error().message);
  }
  if (context.threads_left) ::_exit(context.exit_code);  // no destructor may run beside them
  return context.exit_code;
}

}  // namespace symphony::cli
