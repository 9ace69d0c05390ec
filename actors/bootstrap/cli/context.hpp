// What all commands share: options that come before or after any command, the node they talk to,
// and how they print.
#pragma once

#include <CLI/CLI.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "actors/bootstrap/exit_codes.hpp"
#include "messages/result.hpp"
#include "runtime/link/client.hpp"
#include "runtime/settings/settings.hpp"
#include "runtime/settings/sources.hpp"
#include "runtime/supervision/supervisor.hpp"

namespace symphony::cli {

using bootstrap::ExitCode;

class Session;

// Options of the whole command. Filled while parsing, read by the command that was chosen.
struct Context {
  std::string node;                   // --node, else SYMPHONY_NODE, else the settings' node.name
  std::optional<std::string> config;  // --config
  std::vector<std::string> sets;      // --set
  bool json = false;                  // --json
  std::vector<runtime::ChildPlan> extra;
  int exit_code = bootstrap::kExitOk;  // what the command came to
  bool threads_left = false;           // by the node: it ends without cleaning up

  // The settings by all their sources; prints problems, also with the name of the node, and gives
  // nothing when there are any.
  std::optional<runtime::Settings> settings();
  runtime::SettingsInput settings_input() const;
  // The name of the node that is meant.
  std::string node_name(const runtime::Settings& settings) const;
  // Connects to the running node; prints why not and gives nothing (exit code 3).
  std::unique_ptr<runtime::LinkClient> connect(const std::string& command);
  // The same, but when no node answers one is started as a process of its own, which ends by itself
  // (node.linger_ms). From here on signals go to the session's desk.
  std::unique_ptr<Session> connect_or_start(const std::string& command);
  // Has a node that a command started make way for one that is to stay. False: there is none that
  // would.
  bool ask_to_make_way(const runtime::Settings& settings, const std::string& name);

  // Whether --node or SYMPHONY_NODE, when given, can name a node; else prints why not.
  bool check_node_name(const runtime::Schema& schema);

  // Prints "symphony: <message>" to standard error, or with --json an object a line, and remembers
  // the exit code.
  void fail(int code, const std::string& message);
  // The same for an error from a component, with the exit code that fits.
  void fail(const Error& error);
  // The same for mistakes in settings, a melody or inputs, a line each; nothing when there are
  // none.
  void fail(const runtime::Problems& problems);
};

// Each adds its commands.
void add_node_commands(CLI::App& app, Context& context);
void add_component_commands(CLI::App& app, Context& context);
void add_log_command(CLI::App& app, Context& context);
void add_config_commands(CLI::App& app, Context& context);
void add_melody_commands(CLI::App& app, Context& context);
void add_artifact_commands(CLI::App& app, Context& context);
void add_run_command(CLI::App& app, Context& context);
void add_runs_commands(CLI::App& app, Context& context);
void add_runs_logs(CLI::App& runs, Context& context);  // below `symphony runs`

// ---- printing -----------------------------------------------------------------------------------

// Whether to colour what goes to this file: a terminal, without NO_COLOR.
bool colours(int file_descriptor);

// A table with a header; columns as wide as what they hold, numbers (as told) to the right. What
// is in the cells may come from outside.
class Table {
 public:
  explicit Table(std::vector<std::string> header, std::vector<bool> right = {});
  void add(std::vector<std::string> row);
  std::string text(bool coloured) const;

 private:
  std::vector<std::string> header_;
  std::vector<bool> right_;
  std::vector<std::vector<std::string>> rows_;
};

std::string human_bytes(std::uint64_t bytes);     // "12.3 MiB"
std::string human_duration_ns(std::uint64_t ns);  // "1.2 ms", "3 min 4 s"
std::string human_count(std::uint64_t count);     // "12,345"
std::string local_time(std::int64_t unix_ns);     // "2026-01-31 12:00:05"

}  // namespace symphony::cli
