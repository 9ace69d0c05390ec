#include "actors/bootstrap/cli/context.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>

#include "actors/bootstrap/cli/session.hpp"
#include "actors/bootstrap/node.hpp"
#include "runtime/settings/node_schema.hpp"
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
  std::fputs(loaded.problems.text().c_str(), stderr);
  exit_code = bootstrap::kExitUsage;
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

constexpr std::chrono::seconds kNameTakenPatience{10};
constexpr std::chrono::milliseconds kNameTakenPause{20};

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

}  // namespace

std::unique_ptr<runtime::LinkClient> Context::connect(const std::string& command) {
  const auto loaded = settings();
  if (!loaded) return nullptr;
  auto client = connect_to(*loaded, node_name(*loaded), command);
  if (client) return std::move(client).value();
  fail(bootstrap::kExitNoNode, client.error().message);
  return nullptr;
}

std::unique_ptr<Session> Context::connect_or_boot(const std::string& command) {
  const auto loaded = settings();
  if (!loaded) return nullptr;
  const auto name = node_name(*loaded);
  auto desk = std::make_unique<Desk>();
  // Somebody else may be booting the same node, or stopping it: its data is taken, but it does
  // not answer yet or no more. One of the two ends soon.
  const auto deadline = std::chrono::steady_clock::now() + kNameTakenPatience;
  for (;;) {
    auto client = connect_to(*loaded, name, command);
    if (client)
      return std::make_unique<Session>(std::move(desk), nullptr, std::move(client).value());
    if (client.error().code != Errc::UNAVAILABLE) {
      fail(bootstrap::kExitNoNode, client.error().message);
      return nullptr;
    }
    auto booted = bootstrap::Node::boot({.settings = *loaded,
                                         .name = name,
                                         .extra = extra,
                                         .quiet = true,
                                         .take_up_runs = false,
                                         .on_threads_left = [this] { threads_left = true; }});
    if (auto* node = std::get_if<std::unique_ptr<bootstrap::Node>>(&booted)) {
      client = connect_to(*loaded, name, command);
      if (client)
        return std::make_unique<Session>(std::move(desk), std::move(*node),
                                         std::move(client).value());
      fail(bootstrap::kExitBootFailed, client.error().message);
      return nullptr;
    }
    const auto& failure = std::get<bootstrap::NodeFailure>(booted);
    if (failure.code != bootstrap::kExitNameTaken || std::chrono::steady_clock::now() >= deadline ||
        desk->interrupts() > 0) {
      fail(failure.code, failure.message);
      return nullptr;
    }
    desk->turn(kNameTakenPause);
  }
}

void Context::fail(ExitCode code, const std::string& message) {
  std::fprintf(stderr, "symphony: %s\n", message.c_str());
  exit_code = code;
}

void Context::fail(const Error& error) {
  const bool usage = error.code == Errc::INVALID_ARGUMENT || error.code == Errc::UNIMPLEMENTED;
  const std::string field = error.field.empty() ? "" : error.field + ": ";
  const bool nobody = error.message.starts_with("nobody answers to ");
  const std::string hint = nobody ? "; `symphony ps` lists who does" : "";
  fail(usage ? bootstrap::kExitUsage : bootstrap::kExitFailed, field + error.message + hint);
}

// ---- printing -----------------------------------------------------------------------------------

bool colours(int file_descriptor) {
  const char* no_color = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  return ::isatty(file_descriptor) != 0 && (no_color == nullptr || *no_color == '\0') &&
         term != nullptr && std::string_view{term} != "dumb";
}

namespace {

// Columns on a screen, near enough: code points.
std::size_t width_of(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  }));
}

}  // namespace

Table::Table(std::vector<std::string> header, std::vector<bool> right)
    : header_(std::move(header)), right_(std::move(right)) {
  right_.resize(header_.size());
}

void Table::add(std::vector<std::string> row) {
  row.resize(header_.size());
  rows_.push_back(std::move(row));
}

std::string Table::text(bool coloured) const {
  std::vector<std::size_t> widths;
  for (const auto& cell : header_) widths.push_back(width_of(cell));
  for (const auto& row : rows_)
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i]));
  std::string out;
  const auto line = [&](const std::vector<std::string>& row) {
    std::string text;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string pad(widths[i] - width_of(row[i]), ' ');
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
