// symphony run
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <optional>

#include "actors/bootstrap/cli/context.hpp"
#include "actors/bootstrap/cli/melody_file.hpp"
#include "actors/bootstrap/cli/run_view.hpp"
#include "actors/bootstrap/cli/run_watch.hpp"
#include "actors/bootstrap/cli/session.hpp"
#include "actors/orchestration/melody/inputs.hpp"
#include "actors/orchestration/melody/plan.hpp"
#include "extensions/operators/operators.hpp"
#include "messages/dag.protocol.hpp"
#include "messages/json_value.hpp"
#include "messages/orchestration.protocol.hpp"
#include "runtime/system/fs.hpp"
#include "runtime/text/path_text.hpp"

namespace symphony::cli {
namespace {

// Starting a run plans and journals it, which takes a while for a hundred thousand nodes.
constexpr std::chrono::minutes kStartTimeout{2};

struct RunArguments {
  std::string melody;
  std::string resume;
  bool again = false;
  bool detach = false;
  std::uint32_t weight = 0;
  std::vector<std::string> inputs;  // "name=value"
};

// What can be told without a node: inputs without "=", text that no message can carry. Prints every
// problem that the melody and the inputs have.
bool is_sound(Context& context, const RunArguments& arguments, const std::string& text) {
  const bool carried = runtime::is_valid_utf8(text) && text.find('\0') == std::string::npos;
  const bool assigned =
      std::all_of(arguments.inputs.begin(), arguments.inputs.end(),
                  [](const auto& input) { return input.find('=') != input.npos; });
  if (carried && assigned) return true;
  actors::OperatorRegistry registry;
  extensions::add_builtin_operators(registry);
  auto problems = actors::load_melody(text, arguments.melody, registry).problems;
  const auto melody = actors::parse_melody(text, arguments.melody).melody;
  problems.append(actors::bind_inputs(melody.inputs, arguments.inputs).problems);
  std::fputs(problems.text().c_str(), stderr);
  if (problems.empty())
    return context.fail(bootstrap::kExitUsage, arguments.melody + ": is not UTF-8 text"), false;
  context.exit_code = bootstrap::kExitUsage;
  return false;
}

Ask<protocol::Engine::Run> start(const Ref<protocol::Engine>& engine, const RunArguments& arguments,
                                 const std::string& text) {
  return engine
      .run([&](messages::StartRunRequest::Builder request) {
        request.setText(text);
        const auto file = std::filesystem::absolute(arguments.melody).lexically_normal();
        request.setFile(runtime::encode_path(file.native()));
        request.setDirectory(runtime::encode_path(std::filesystem::current_path().native()));
        request.setWeight(arguments.weight);
        auto inputs = request.initInputs(static_cast<unsigned>(arguments.inputs.size()));
        for (unsigned i = 0; i < inputs.size(); ++i) {
          const std::string_view assignment = arguments.inputs[i];
          const auto equals = assignment.find('=');
          inputs[i].setName(runtime::encode_path(assignment.substr(0, equals)));
          inputs[i].setValue(runtime::encode_path(assignment.substr(equals + 1)));
        }
      })
      .within(kStartTimeout);
}

Ask<protocol::Engine::Resume> take_up(const Ref<protocol::Engine>& engine,
                                      const RunArguments& arguments) {
  return engine
      .resume([&](messages::ResumeRunRequest::Builder request) {
        request.setRun(arguments.resume);
        request.setAgain(arguments.again);
      })
      .within(kStartTimeout);
}

void print_problems(Context& context, capnp::List<messages::Problem>::Reader problems) {
  for (const auto problem : problems)
    fmt::print(
        stderr, "{}\n",
        problem.getText().size() > 0 ? problem.getText().cStr() : problem.getMessage().cStr());
  context.exit_code = bootstrap::kExitUsage;
}

// --detach is of no use with a node that ends when this command does.
std::unique_ptr<Session> attach(Context& context) {
  auto client = context.connect("run");
  if (client == nullptr) return nullptr;
  return std::make_unique<Session>(std::make_unique<Desk>(), nullptr, std::move(client));
}

void print_accepted(Context& context, const WatchedRun& run) {
  if (context.json)
    fmt::print("{}\n", Json{{"kind", "accepted"}, {"run", run.id}, {"melody", run.melody}}.dump());
  else
    fmt::print("{}\n", run.id);
}

Result<Msg<messages::ShowRunResponse>> show(Session& session, const std::string& run) {
  const Ref<protocol::Dag> dag{session.client()};
  return session.desk().await(
      dag.show([&](messages::ShowRunRequest::Builder request) { request.setRun(run); }));
}

// A run that the node is working on, by the beginning of its id.
std::optional<WatchedRun> find_under_way(Session& session, const std::string& beginning) {
  const auto shown = show(session, beginning);
  if (!shown) return std::nullopt;
  WatchedRun found{(*shown)->getRow().getRun().cStr(), (*shown)->getRow().getMelody().cStr()};
  const Ref<protocol::Engine> engine{session.client()};
  const auto progress = session.desk().await(engine.progress(
      [&](messages::RunProgressRequest::Builder request) { request.setRun(found.id); }));
  if (!progress) return std::nullopt;
  return found;
}

// There was nothing left to do: says how the run ended.
void print_ended(Context& context, Session& session, const WatchedRun& run) {
  const auto shown = show(session, run.id);
  if (!shown) return context.fail(shown.error());
  const auto status = (*shown)->getRow().getStatus();
  context.exit_code = status == messages::RunStatus::SUCCEEDED   ? bootstrap::kExitOk
                      : status == messages::RunStatus::CANCELLED ? bootstrap::kExitCancelled
                                                                 : bootstrap::kExitFailed;
  if (context.json)
    return fmt::print("{}\n", Json{{"kind", "summary"},
                                   {"run", run.id},
                                   {"melody", run.melody},
                                   {"status", word_of(status)},
                                   {"executed", 0}}
                                  .dump());
  fmt::print("run {} of {} has {} already; {}\n", run.id, run.melody,
             status == messages::RunStatus::CANCELLED ? "been cancelled" : word_of(status),
             context.exit_code == bootstrap::kExitOk ? "nothing was left to do"
                                                     : "--again takes it up all the same");
}

void run(Context& context, const RunArguments& arguments) {
  if (arguments.melody.empty() == arguments.resume.empty())
    return context.fail(bootstrap::kExitUsage,
                        "name a melody, or a run with --resume; `symphony help run` tells more");
  if (!arguments.resume.empty() && !arguments.inputs.empty())
    return context.fail(bootstrap::kExitUsage,
                        "--resume takes no --input: the run keeps the inputs that it has");
  std::string text;
  if (!arguments.melody.empty()) {
    auto read = runtime::read_file(arguments.melody, actors::kMaxMelodyBytes);
    if (!read) return context.fail(bootstrap::kExitUsage, read.error().message);
    text = std::move(read).value();
    if (!is_sound(context, arguments, text)) return;
  }
  const auto session = arguments.detach ? attach(context) : context.connect_or_boot("run");
  if (session == nullptr) return;
  const Ref<protocol::Engine> engine{session->client()};
  const auto answer = arguments.resume.empty()
                          ? session->desk().await(start(engine, arguments, text))
                          : session->desk().await(take_up(engine, arguments));
  if (!answer) {
    if (session->desk().interrupts() > 0)
      return context.fail(bootstrap::kExitCancelled, "cancelled before the run began");
    // The node has taken it up by itself, or somebody else has: watching it is what is left.
    if (answer.error().code == Errc::FAILED_PRECONDITION && !arguments.resume.empty())
      if (const auto found = find_under_way(*session, arguments.resume))
        return arguments.detach ? print_accepted(context, *found)
                                : watch_run(context, *session, *found);
    // A run that is not there is a wrong argument.
    if (answer.error().code == Errc::NOT_FOUND)
      return context.fail(bootstrap::kExitUsage, answer.error().message);
    return context.fail(answer.error());
  }
  const auto started = **answer;
  if (started.getProblems().size() > 0) return print_problems(context, started.getProblems());
  const WatchedRun watched{started.getRun().cStr(), started.getMelody().cStr()};
  if (started.getAlreadyEnded()) return print_ended(context, *session, watched);
  if (arguments.detach) return print_accepted(context, watched);
  watch_run(context, *session, watched);
}

}  // namespace

void add_run_command(CLI::App& app, Context& context) {
  auto* command = app.add_subcommand("run", "Run a melody and show how it goes");
  auto arguments = std::make_shared<RunArguments>();
  command->add_option("MELODY", arguments->melody,
                      "The melody: a TOML file, or the name of one that is installed");
  command
      ->add_option("--input,-i", arguments->inputs,
                   "One input of the melody, as name=value; may be repeated")
      ->type_name("NAME=VALUE")
      ->take_all()
      ->expected(1)
      ->allow_extra_args(false);
  command
      ->add_option("--resume", arguments->resume,
                   "Take up a run that was cut short: its id, or the unique beginning of it")
      ->type_name("ID");
  command->add_flag("--again", arguments->again,
                    "With --resume: also what failed or was cancelled");
  command->add_flag("--detach", arguments->detach,
                    "Print the id of the run and leave; needs a running node");
  command
      ->add_option("--weight", arguments->weight,
                   "This run's share of cores and memory against other runs' (else 1)")
      ->check(CLI::Range(1, 1000));
  command->footer(
      "Examples: symphony run config/melodies/repo-report.toml --input path=.\n"
      "          symphony run --resume 0192 --again\n"
      "Uses the node that is running, else one of its own until the run ends. Ctrl-C cancels the "
      "run;\n"
      "a second one leaves at once. Either way the run can be resumed, and nothing that is done "
      "is\n"
      "done again. With --json: a line an event, then one with the summary.\n"
      "Exit codes: 0 succeeded, 1 work failed, 2 bad melody or inputs, 130 cancelled.");
  command->callback([&context, arguments] {
    arguments->melody = find_melody(arguments->melody, melody_directories());
    run(context, *arguments);
  });
}

}  // namespace symphony::cli
