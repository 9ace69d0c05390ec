#include "actors/bootstrap/cli/context.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>

#include "actors/bootstrap/cli/session.hpp"
#include "actors/bootstrap/cli/start_node.hpp"
#include "actors/bootstrap/cli/terminal.hpp"
#include "actors/bootstrap/node.hpp"
#include "messages/control.protocol.hpp"
#include "messages/json_value.hpp"
#include "runtime/settings/node_schema.hpp"
#include "runtime/system/fs.hpp"
#include "runtime/text/path_text.hpp"

namespace symphony::cli {

runtime::SettingsInput Context::settings_input() const {
  return {config, sets, runtime::environment_snapshot()};
}

std::optional<runtime::Settings> Context::settings() {
  const auto schema = runtime::load_node_schema();
  if (!check_node_name(schema)) return std::nullopt;
  auto loaded = runtime::load_settings(schema, settings_input());
  if (loaded.problems.empty()) return std::move(loaded.value);
  fail(loaded.problems);
  return std::nullopt;
}

bool Context::check_node_name(const runtime::Schema& schema) {
  const char* named = std::getenv("SYMPHONY_NODE");
  const std::string name = !node.empty() ? node : named != nullptr ? named : "";
  if (name.empty()) return true;
  const auto checked = runtime::combine_settings(schema, std::nullopt, {}, {"node.name=" + name});
  if (checked.ok()) return true;
  fail(bootstrap::kExitUsage, "\"" + runtime::display_path(name) +
                                  "\" cannot name a node: " + checked.problems[0].message);
  return false;
}

std::string Context::node_name(const runtime::Settings& settings) const {
  if (!node.empty()) return node;
  const char* named = std::getenv("SYMPHONY_NODE");
  if (named != nullptr && *named != '\0') return named;
  return settings.get<std::string>("node.name");
}

namespace {

// For a node that is starting or stopping under the same name.
constexpr std::chrono::seconds kNodePatience{30};
constexpr std::chrono::milliseconds kNodePause{10};
constexpr std::chrono::seconds kMakeWayTimeout{5};

Result<std::unique_ptr<runtime::LinkClient>> connect_to(const runtime::Settings& settings,
                                                        const std::string& node,
                                                        const std::string& command) {
  runtime::LinkClientOptions options;
  options.link.name = "symphony " + command;
  options.link.ask_timeout = settings.get_ms("link.ask_timeout_ms");
  options.node = node;
  if (node != settings.get<std::string>("node.name")) options.start_command += " --name " + node;
  return runtime::LinkClient::connect(bootstrap::node_paths(settings, node).socket, options);
}

Error interrupted() { return {Errc::CANCELLED, "interrupted before a node was there"}; }

// What a node has to be told to be the one that the command means.
std::vector<std::string> node_arguments(const Context& context, const std::string& name) {
  std::vector<std::string> arguments{"--json", "--node", name};
  if (context.config) arguments.insert(arguments.end(), {"--config", *context.config});
  for (const auto& set : context.sets) arguments.insert(arguments.end(), {"--set", set});
  arguments.insert(arguments.end(), {"node", "--for-command"});
  return arguments;
}

// One attempt of connect_or_start: a node is there, or will be (nothing), or cannot be.
Result<std::unique_ptr<runtime::LinkClient>> connect_or_start_once(
    Context& context, const runtime::Settings& settings, const std::string& name,
    const std::string& command, Desk& desk) {
  auto client = connect_to(settings, name, command);
  if (client || client.error().code != Errc::UNAVAILABLE) return client;
  const auto socket = bootstrap::node_paths(settings, name).socket;
  const auto folder = std::filesystem::path(socket).parent_path();
  if (auto made = runtime::ensure_private_directory(folder); !made) return made.error();
  const auto lock = StartLock::try_lock(socket);
  if (!lock) return lock.error();
  if (!lock->has_value()) return client.error();  // somebody is at it
  client = connect_to(settings, name, command);
  if (client) return client;
  const auto start = start_node(desk, node_arguments(context, name));
  if (!start) return start.error();
  if (start->ready) return connect_to(settings, name, command);
  // Its data is in use: by one that is stopping, as a rule.
  const bool taken = start->exit_code == bootstrap::kExitNameTaken;
  context.exit_code = start->exit_code;
  return Error{taken ? Errc::UNAVAILABLE : Errc::FAILED_PRECONDITION, start->message, {}, taken};
}

}  // namespace

std::unique_ptr<runtime::LinkClient> Context::connect(const std::string& command) {
  const auto loaded = settings();
  if (!loaded) return nullptr;
  auto client = connect_to(*loaded, node_name(*loaded), command);
  if (client) return std::move(client).value();
  fail(bootstrap::kExitNoNode, client.error().message);
  return nullptr;
}

std::unique_ptr<Session> Context::connect_or_start(const std::string& command) {
  const auto loaded = settings();
  if (!loaded) return nullptr;
  const auto name = node_name(*loaded);
  auto desk = std::make_unique<Desk>();
  const auto deadline = std::chrono::steady_clock::now() + kNodePatience;
  for (;;) {
    exit_code = bootstrap::kExitNoNode;
    auto client = connect_or_start_once(*this, *loaded, name, command, *desk);
    if (client) {
      exit_code = bootstrap::kExitOk;
      return std::make_unique<Session>(std::move(desk), std::move(client).value());
    }
    if (desk->interrupts() > 0) {
      fail(desk->exit_code(), interrupted().message);
      return nullptr;
    }
    const auto code = client.error().code;
    const bool passes = code == Errc::UNAVAILABLE || code == Errc::OVERLOADED;
    if (!passes || std::chrono::steady_clock::now() >= deadline) {
      fail(exit_code, client.error().message);
      return nullptr;
    }
    desk->turn(kNodePause);
  }
}

bool Context::ask_to_make_way(const runtime::Settings& settings, const std::string& name) {
  const auto client = connect_to(settings, name, "node");
  if (!client) return client.error().code == Errc::UNAVAILABLE;  // it is just going
  const WaitingRef<protocol::Control> control{**client};
  const auto answer = control.make_way().within(kMakeWayTimeout).get();
  return answer ? (*answer)->getEnds() : answer.error().code == Errc::UNAVAILABLE;
}

// ---- failing ------------------------------------------------------------------------------------

namespace {

void print_error(const Json& fields) {
  Json line{{"kind", "error"}};
  line.update(fields);
  std::fprintf(stderr, "%s\n", line.dump(-1, ' ', false, Json::error_handler_t::replace).c_str());
}

Json to_json(const runtime::Problem& problem) {
  return {{"file", std::string{problem.mark.name()}},
          {"line", problem.mark.line()},
          {"column", problem.mark.column()},
          {"key", problem.path},
          {"message", problem.text()},
          {"suggestion", problem.suggestion}};
}

}  // namespace

void Context::fail(int code, const std::string& message) {
  exit_code = code;
  if (json) return print_error({{"exitCode", code}, {"message", message}});
  std::fprintf(stderr, "symphony: %s\n", one_line(message).c_str());
}

void Context::fail(const Error& error) {
  const bool usage = error.code == Errc::INVALID_ARGUMENT || error.code == Errc::UNIMPLEMENTED;
  exit_code = usage ? bootstrap::kExitUsage : bootstrap::kExitFailed;
  if (json)
    return print_error({{"exitCode", exit_code},
                        {"code", std::string{to_string(error.code)}},
                        {"field", error.field},
                        {"message", error.message}});
  const std::string field = error.field.empty() ? "" : error.field + ": ";
  const bool nobody = error.message.starts_with("nobody answers to ");
  const std::string hint = nobody ? "; `symphony ps` lists who does" : "";
  fail(exit_code, field + error.message + hint);
}

void Context::fail(const runtime::Problems& problems) {
  if (problems.empty()) return;
  exit_code = bootstrap::kExitUsage;
  if (!json) {
    std::fputs(problems.text().c_str(), stderr);
    return;
  }
  for (const auto& problem : problems) {
    Json line = to_json(problem);
    line["exitCode"] = exit_code;
    print_error(line);
  }
}

void fail_ask(Context& context, Session& session, const Error& error) {
  if (session.desk().interrupts() > 0) return context.fail(session.desk().exit_code(), "cancelled");
  context.fail(error);
}

// ---- printing -----------------------------------------------------------------------------------

bool colours(int file_descriptor) {
  const char* no_color = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  return ::isatty(file_descriptor) != 0 && (no_color == nullptr || *no_color == '\0') &&
         term != nullptr && std::string_view{term} != "dumb";
}

namespace {

std::size_t columns_of(const std::string& text) {
  return static_cast<std::size_t>(text_columns(text));
}

}  // namespace

Table::Table(std::vector<std::string> header, std::vector<bool> right)
    : header_(std::move(header)), right_(std::move(right)) {
  right_.resize(header_.size());
}

void Table::add(std::vector<std::string> row) {
  row.resize(header_.size());
  for (auto& cell : row) cell = one_line(cell);
  rows_.push_back(std::move(row));
}

std::string Table::text(bool coloured) const {
  std::vector<std::size_t> widths;
  for (const auto& cell : header_) widths.push_back(columns_of(cell));
  for (const auto& row : rows_)
    for (std::size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], columns_of(row[i]));
  std::string out;
  const auto line = [&](const std::vector<std::string>& row) {
    std::string text;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string pad(widths[i] - columns_of(row[i]), ' ');
      if (i > 0) text += "  ";
      text += right_[i] ? pad + row[i] : row[i] + pad;
    }
    text.erase(text.find_last_not_of(' ') + 1);
    return text;
  };
  out += coloured ? "\x1b[1m" + line(header_) + "\x1b[0m\n" : line(header_) + "\n";
  for (const auto& row : rows_) out += line(row) + "\n";
  return out;
}

std::string human_bytes(std::uint64_t bytes) {
  constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
  double value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 1024 && unit + 1 < std::size(kUnits)) {
    value /= 1024;
    ++unit;
  }
  return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.1f} {}", value, kUnits[unit]);
}

std::string human_duration_ns(std::uint64_t ns) {
  const double value = static_cast<double>(ns);
  if (ns < 1'000) return fmt::format("{} ns", ns);
  if (ns < 1'000'000) return fmt::format("{:.1f} µs", value / 1e3);
  if (ns < 1'000'000'000) return fmt::format("{:.1f} ms", value / 1e6);
  if (ns < 60'000'000'000) return fmt::format("{:.1f} s", value / 1e9);
  const auto seconds = ns / 1'000'000'000;
  if (seconds < 3600) return fmt::format("{} min {} s", seconds / 60, seconds % 60);
  return fmt::format("{} h {} min", seconds / 3600, seconds / 60 % 60);
}

std::string human_count(std::uint64_t count) {
  std::string digits = std::to_string(count);
  for (auto at = static_cast<int>(digits.size()) - 3; at > 0; at -= 3)
    digits.insert(static_cast<std::size_t>(at), ",");
  return digits;
}

std::string local_time(std::int64_t unix_ns) {
  const std::time_t seconds = unix_ns / 1'000'000'000;
  std::tm parts{};
  ::localtime_r(&seconds, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &parts);
  return text;
}

}  // namespace symphony::cli
