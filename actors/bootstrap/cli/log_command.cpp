// symphony log
#include <fmt/format.h>
#include <signal.h>

#include <atomic>
#include <cstdio>

#include "actors/bootstrap/cli/context.hpp"
#include "actors/bootstrap/cli/terminal.hpp"
#include "messages/foundation.protocol.hpp"
#include "messages/json.hpp"

namespace symphony::cli {
namespace {

constexpr std::uint32_t kPageRecords = 500;
constexpr std::chrono::seconds kFollowWait{20};  // one long poll

struct LogArguments {
  bool follow = false;
  std::string component;
  std::string level = "trace";
  std::uint32_t lines = 50;
};

const char* colour_of(messages::LogLevel level) {
  switch (level) {
    case messages::LogLevel::ERROR:
      return "\x1b[31m";
    case messages::LogLevel::WARN:
      return "\x1b[33m";
    case messages::LogLevel::INFO:
      return "\x1b[32m";
    default:
      return "\x1b[2m";
  }
}

std::string level_name(messages::LogLevel level) {
  const auto names = capnp::Schema::from<messages::LogLevel>().getEnumerants();
  const auto ordinal = static_cast<unsigned>(level);
  return ordinal < names.size() ? names[ordinal].getProto().getName().cStr() : "?";
}

void print_record(messages::LogRecord::Reader record, bool json, bool coloured) {
  if (json) {
    fmt::print("{}\n", to_json(capnp::DynamicStruct::Reader(record)));
    return;
  }
  const auto ms = record.getTimeNs() / 1'000'000 % 1000;
  std::string line = fmt::format("{}.{:03} ", local_time(record.getTimeNs()), ms);
  const auto level = fmt::format("{:5}", level_name(record.getLevel()));
  line += coloured ? colour_of(record.getLevel()) + level + "\x1b[0m" : level;
  line += fmt::format(" {}: {}", one_line(record.getComponent().cStr()),
                      one_line(record.getMessage().cStr()));
  for (const auto field : record.getFields())
    line +=
        fmt::format(" {}={}", one_line(field.getKey().cStr()), one_line(field.getValue().cStr()));
  fmt::print("{}\n", line);
}

void show_log(Context& context, const LogArguments& arguments) {
  const auto client = context.connect("log");
  if (client == nullptr) return;
  const WaitingRef<protocol::LogView> log{*client};
  const auto levels = capnp::Schema::from<messages::LogLevel>();
  messages::LogLevel level = messages::LogLevel::TRACE;
  KJ_IF_MAYBE (found, levels.findEnumerantByName(arguments.level))
    level = static_cast<messages::LogLevel>(found->getOrdinal());
  const bool coloured = colours(1);
  std::uint64_t cursor = 0;
  for (;;) {
    const auto answer =
        log.next([&](messages::NextLogRequest::Builder request) {
             request.setCursor(cursor);
             request.setMax(kPageRecords);
             request.setComponent(arguments.component);
             request.setLevel(level);
             request.setTail(arguments.lines);
           })
            .within(cursor == 0 && !arguments.follow ? std::chrono::seconds(1) : kFollowWait)
            .get();
    if (!answer) {
      if (answer.error().code == Errc::DEADLINE_EXCEEDED && arguments.follow) continue;
      if (answer.error().code == Errc::DEADLINE_EXCEEDED) return;  // nothing was logged yet
      if (client->loss())
        return context.fail(bootstrap::kExitNoNode, "node " + client->node() + " has stopped");
      return context.fail(answer.error());
    }
    const auto page = **answer;
    if (page.getMissed() > 0 && cursor != 0)
      fmt::print(stderr, "symphony: {} records came too fast and are lost\n", page.getMissed());
    for (const auto record : page.getRecords()) print_record(record, context.json, coloured);
    std::fflush(stdout);
    cursor = page.getNext();
    if (!arguments.follow) return;
  }
}

}  // namespace

void add_log_command(CLI::App& app, Context& context) {
  auto* log = app.add_subcommand("log", "Show what the node logged");
  auto arguments = std::make_shared<LogArguments>();
  log->add_flag("-f,--follow", arguments->follow, "Go on as it logs; Ctrl-C ends it");
  log->add_option("-n,--lines", arguments->lines, "How many records back to begin")
      ->capture_default_str();
  log->add_option("--component", arguments->component, "Only this component and those below it");
  log->add_option("--level", arguments->level, "This level and above")
      ->check(CLI::IsMember({"trace", "debug", "info", "warn", "error"}))
      ->capture_default_str();
  log->callback([&context, arguments] { show_log(context, *arguments); });
}

}  // namespace symphony::cli
