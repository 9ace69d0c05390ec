// symphony artifact: log and verify, and how all of it is called
#include "actors/bootstrap/cli/artifact_commands.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>
#include <utility>

#include "messages/json.hpp"
#include "runtime/text/path_text.hpp"

namespace symphony::cli {
namespace {

constexpr std::uint32_t kPageVersions = 500;
constexpr std::uint32_t kVersionsShown = 50;
constexpr std::size_t kDigestShown = 12;
constexpr std::chrono::milliseconds kFrame{100};
constexpr std::chrono::hours kVerifyTimeout{24};  // it reads everything that is stored

struct LogArguments {
  std::string name;
  std::uint32_t lines = kVersionsShown;
  bool all = false;
};

// ---- log ----------------------------------------------------------------------------------------

// Hands each version to `take`: of a name newest first, or the newest of every name.
template <class Take>
bool each_version(Context& context, Session& session, const LogArguments& arguments, Take&& take) {
  const Ref<protocol::Artifacts> artifacts{session.client()};
  std::uint64_t before = 0;
  std::string after;
  std::uint64_t left = arguments.all ? ~std::uint64_t{0} : arguments.lines;
  while (left > 0) {
    const auto answer =
        session.desk().await(artifacts.log([&](messages::ArtifactLogRequest::Builder request) {
          request.setName(arguments.name);
          request.setBefore(before);
          request.setAfter(after);
          request.setMax(static_cast<std::uint32_t>(std::min<std::uint64_t>(left, kPageVersions)));
        }));
    if (!answer) {
      fail_transfer(context, session, answer.error());
      return false;
    }
    const auto versions = (*answer)->getVersions();
    for (const auto version : versions) take(version);
    if (!(*answer)->getMore() || versions.size() == 0) return true;
    const auto last = versions[versions.size() - 1];
    before = last.getVersion();
    after = last.getName().cStr();
    left -= std::min<std::uint64_t>(left, versions.size());
  }
  return true;
}

std::string origin_of(messages::ArtifactVersion::Reader version) {
  const std::string run = version.getLineage().getRun();
  if (run.empty()) return {};
  const std::string node = version.getLineage().getNode();
  return one_line(node.empty() ? run : run + " " + node);
}

void show_log(Context& context, const LogArguments& arguments) {
  const auto session = context.connect_or_start("artifact log");
  if (session == nullptr) return;
  if (context.json) {
    each_version(context, *session, arguments, [&](messages::ArtifactVersion::Reader version) {
      print_version(context, version);
    });
    return;
  }
  Table table{{"NAME", "SIZE", "STORED", "TYPE", "CREATED", "DIGEST", "MADE BY"},
              {false, true, true}};
  std::uint64_t rows = 0;
  const bool good =
      each_version(context, *session, arguments, [&](messages::ArtifactVersion::Reader version) {
        ++rows;
        table.add({fmt::format("{}@{}", one_line(version.getName().cStr()), version.getVersion()),
                   human_bytes(version.getSizeBytes()), human_bytes(version.getStoredBytes()),
                   one_line(version.getMediaType().cStr()), local_time(version.getCreatedNs()),
                   std::string{version.getDigest().cStr()}.substr(0, kDigestShown),
                   origin_of(version)});
      });
  if (!good) return;
  if (rows == 0)
    fmt::print("nothing is stored under a name yet\n");
  else
    std::fputs(table.text(colours(1)).c_str(), stdout);
}

// ---- verify -------------------------------------------------------------------------------------

using VerifyAnswer = Result<Msg<messages::VerifyArtifactsResponse>>;

// Shared with answers that come after a Ctrl-C and find nobody who waits for them.
struct VerifyWait {
  std::optional<VerifyAnswer> answer;
  TransferMeter meter{"verifying everything that is stored", 0};
  bool asking = false;  // how far it is
};

void ask_how_far(Session& session, const std::shared_ptr<VerifyWait>& wait) {
  if (!wait->meter.shown() || std::exchange(wait->asking, true)) return;
  session.desk().ask(Ref<protocol::Artifacts>{session.client()}.verify_progress(),
                     [wait](Result<Msg<messages::VerifyProgressResponse>> progress) {
                       wait->asking = false;
                       if (wait->answer || !progress) return;
                       wait->meter.set_total((*progress)->getTotal());
                       wait->meter.advance((*progress)->getDone(), "");
                     });
}

VerifyAnswer await_report(Session& session, bool repair) {
  auto wait = std::make_shared<VerifyWait>();
  const Ref<protocol::Artifacts> artifacts{session.client()};
  auto ask = artifacts.verify(
      [&](messages::VerifyArtifactsRequest::Builder request) { request.setRepair(repair); });
  session.desk().ask(std::move(ask).within(kVerifyTimeout), [wait](VerifyAnswer answer) {
    wait->meter.clear();
    wait->answer.emplace(std::move(answer));
  });
  wait->meter.advance(0, "");
  while (!wait->answer) {
    if (session.desk().interrupts() > 0) {
      wait->meter.clear();
      return Error{Errc::CANCELLED, "interrupted"};
    }
    ask_how_far(session, wait);
    session.desk().turn(wait->meter.shown() ? kFrame : Desk::kAnyTime);
  }
  return std::move(*wait->answer);
}

void verify(Context& context, bool repair) {
  const auto session = context.connect_or_start("artifact verify");
  if (session == nullptr) return;
  const auto answer = await_report(*session, repair);
  if (!answer) return fail_transfer(context, *session, answer.error());
  const auto report = **answer;
  const auto left = report.getProblems().size() -
                    std::min<std::uint64_t>(report.getRepaired(), report.getProblems().size());
  if (left > 0) context.exit_code = bootstrap::kExitFailed;
  if (context.json) {
    fmt::print("{}\n", to_json(capnp::DynamicStruct::Reader(report)));
    return;
  }
  for (const auto problem : report.getProblems()) fmt::print("{}\n", one_line(problem.cStr()));
  fmt::print("{}: {} contents in {} parts, {}; {} versions, {} of them trees; {} without a name\n",
             report.getProblems().size() == 0
                 ? "all is well"
                 : fmt::format("{} problems", report.getProblems().size()),
             human_count(report.getContents()), human_count(report.getParts()),
             human_bytes(report.getBytes()), human_count(report.getVersions()),
             human_count(report.getTrees()), human_count(report.getUnreferenced()));
  if (report.getRepaired() > 0)
    fmt::print("{} damaged records that nothing referred to were removed\n",
               human_count(report.getRepaired()));
  if (left > 0)
    fmt::print(
        "to repair a content, put the same bytes again: the file that is named, or its tree\n");
}

// ---- put ----------------------------------------------------------------------------------------

void put(Context& context, const PutArguments& arguments) {
  if (arguments.source.empty() == arguments.tree.empty())
    return context.fail(bootstrap::kExitUsage,
                        "name a file (or - for standard input), or a directory with --tree");
  if (!arguments.tree.empty() && arguments.name.empty())
    return context.fail(bootstrap::kExitUsage, "--tree needs a --name for the version it makes");
  const auto session = context.connect_or_start("artifact put");
  if (session == nullptr) return;
  if (arguments.tree.empty())
    put_file(context, *session, arguments);
  else
    put_tree(context, *session, arguments);
}

void add_put(CLI::App& artifact, Context& context) {
  auto* command = artifact.add_subcommand("put", "Store a file, standard input or a directory");
  auto arguments = std::make_shared<PutArguments>();
  command->add_option("FILE", arguments->source, "The file; - is standard input");
  command->add_option("--name", arguments->name, "Make it the next version of this name");
  command->add_option("--type", arguments->media_type, "Media type, as in text/html")
      ->type_name("MEDIA");
  command
      ->add_option("--tree", arguments->tree,
                   "Store a whole directory as one version of --name: all of it or nothing")
      ->type_name("DIR");
  command->add_flag("-v,--verbose", arguments->verbose,
                    "With --tree: a line for each file once it is durable");
  command->footer(
      "Examples: symphony artifact put report.html --name report --type text/html\n"
      "          git log -p | symphony artifact put - --name history\n"
      "          symphony artifact put --tree src --name sources\n"
      "What is printed is durable. With --tree, what cannot be read, or changes while it is read,\n"
      "is left out and told, and the exit code is 1. Kept are permissions, modification times,\n"
      "holes, symbolic and hard links; not owners and extended attributes, which is told. The "
      "store\n"
      "itself is left out. Equal contents are sent and stored once.");
  command->callback([&context, arguments] { put(context, *arguments); });
}

void add_get(CLI::App& artifact, Context& context) {
  auto* command = artifact.add_subcommand("get", "Give back what was stored");
  auto arguments = std::make_shared<GetArguments>();
  command
      ->add_option("REF", arguments->ref,
                   "A name, name@VERSION, sha256:DIGEST or the beginning of a digest")
      ->required();
  command
      ->add_option("-o,--output", arguments->output,
                   "A file (else standard output); for a tree, a directory that is new or empty")
      ->type_name("PATH");
  command->footer(
      "Examples: symphony artifact get report@2 -o old.html\n"
      "          symphony artifact get sources -o restored/\n"
      "A file is replaced only when all of it is there. What a link leads to is replaced, not the\n"
      "link; a pipe or device is written into.");
  command->callback([&context, arguments] {
    const auto session = context.connect_or_start("artifact get");
    if (session != nullptr) get_artifact(context, *session, *arguments);
  });
}

}  // namespace

void fail_transfer(Context& context, Session& session, const Error& error) {
  fail_ask(context, session, error);
}

void print_version(const Context& context, messages::ArtifactVersion::Reader version) {
  if (context.json) {
    fmt::print("{}\n", to_json(capnp::DynamicStruct::Reader(version)));
    return;
  }
  const auto name =
      version.getVersion() == 0
          ? std::string{}
          : fmt::format("{}@{}  ", one_line(version.getName().cStr()), version.getVersion());
  fmt::print("{}sha256:{}  {} ({} stored)\n", name, version.getDigest().cStr(),
             human_bytes(version.getSizeBytes()), human_bytes(version.getStoredBytes()));
}

TransferMeter::TransferMeter(std::string what, std::uint64_t total)
    : what_(std::move(what)), total_(total), shown_(can_redraw(2)), live_(stderr) {}

void TransferMeter::advance(std::uint64_t done, const std::string& details) {
  const auto now = std::chrono::steady_clock::now();
  if (!shown_ || now < next_) return;
  next_ = now + kFrame;
  const int columns = screen_size(2).columns;
  std::string line = what_;
  if (total_ > 0) {
    const double fraction = static_cast<double>(done) / static_cast<double>(total_);
    line += fmt::format("  {}  {:3.0f} %", bar(fraction, std::clamp(columns / 3, 8, 40)),
                        std::min(fraction, 1.0) * 100);
  }
  if (!details.empty()) line += "  " + details;
  live_.draw({clip(line, columns - 1)}, columns);
}

void add_artifact_commands(CLI::App& app, Context& context) {
  auto* artifact = app.add_subcommand("artifact", "Store contents and trees, and get them back");
  artifact->require_subcommand(1);
  artifact->footer(
      "Contents are addressed by their SHA-256, stored once and compressed; names have versions.");
  add_put(*artifact, context);
  add_get(*artifact, context);

  auto* log = artifact->add_subcommand("log", "List names, or the versions of one");
  auto arguments = std::make_shared<LogArguments>();
  log->add_option("NAME", arguments->name, "The name; without it the newest version of every name");
  log->add_option("-n,--lines", arguments->lines, "How many")->capture_default_str();
  log->add_flag("--all", arguments->all, "All of them");
  log->footer("Example: symphony artifact log report");
  log->callback([&context, arguments] { show_log(context, *arguments); });

  auto* checker =
      artifact->add_subcommand("verify", "Read everything back and check it (exit 0 or 1)");
  auto repair = std::make_shared<bool>(false);
  checker->add_flag("--repair", *repair, "Remove what is damaged and nothing refers to");
  checker->footer(
      "Contents that no name leads to are legal: something was cut short once. A damaged content\n"
      "that a name leads to is named with it: putting the same bytes again repairs it.");
  checker->callback([&context, repair] { verify(context, *repair); });
}

}  // namespace symphony::cli
