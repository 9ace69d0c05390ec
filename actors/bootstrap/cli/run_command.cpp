// symphony run
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <utility>

#include "actors/bootstrap/cli/context.hpp"
#include "actors/bootstrap/cli/melody_file.hpp"
#include "actors/bootstrap/cli/run_view.hpp"
#include "actors/bootstrap/cli/run_watch.hpp"
#include "actors/bootstrap/cli/session.hpp"
#include "actors/bootstrap/cli/terminal.hpp"
#include "actors/orchestration/melody/environment.hpp"
#include "actors/orchestration/melody/inputs.hpp"
#include "actors/orchestration/melody/plan.hpp"
#include "extensions/operators/operators.hpp"
#include "messages/dag.protocol.hpp"
#include "messages/json_value.hpp"
#include "messages/orchestration.protocol.hpp"
#include "messages/utf8.hpp"
#include "runtime/system/variables.hpp"
#include "runtime/text/path_text.hpp"

namespace symphony::cli {
namespace {

// Starting a run plans and journals it, which takes a while for a hundred thousand nodes.
constexpr std::chrono::minutes kStartTimeout{2};
constexpr std::chrono::hours kAttachedFor{24 * 365 * 10};  // as long as anything runs

struct RunArguments {
  std::string melody;
  std::string resume;
  bool again = false;
  bool detach = false;
  std::uint32_t weight = 0;
  std::vector<std::string> inputs;  // "name=value"
};

// A run until it is asked for.
struct Request {
  MelodyFile melody;
  std::string directory;                                    // as bytes
  std::vector<std::pair<std::string, std::string>> inputs;  // name and value
  std::vector<std::pair<std::string, std::string>> environment;
};

// Where the run belongs. Nothing, and told, when that is gone.
std::optional<std::string> working_directory(Context& context) {
  std::error_code gone;
  const auto directory = std::filesystem::current_path(gone);
  if (!gone) return directory.native();
  context.fail(bootstrap::kExitUsage,
               "the working directory is not there any more, and a run belongs to one: change to "
               "another");
  return std::nullopt;
}

// Of this process's variables those that a run of the melody may have.
std::vector<std::pair<std::string, std::string>> environment_for(const std::string& text) {
  std::vector<std::string> passed;
  if (text.find("pass_env") != std::string::npos)
    passed = actors::passed_variables(actors::parse_melody(text, "").melody);
  const auto chosen = actors::chosen_environment(runtime::process_variables(), passed);
  return {chosen.begin(), chosen.end()};
}

void write(capnp::List<messages::EnvironmentVariable>::Builder out,
           const std::vector<std::pair<std::string, std::string>>& environment) {
  for (unsigned i = 0; i < out.size(); ++i) {
    out[i].setName(runtime::encode_path(environment[i].first));
    out[i].setValue(runtime::encode_path(environment[i].second));
  }
}

// "name=value" or "name=@FILE"; a value that begins with @ is written with two. Not without a "=".
Result<std::pair<std::string, std::string>> input_of(const std::string& assignment) {
  const auto equals = assignment.find('=');
  std::string name = assignment.substr(0, equals);
  std::string value = assignment.substr(equals + 1);
  if (!value.starts_with('@')) return std::pair{std::move(name), std::move(value)};
  if (value.starts_with("@@")) return std::pair{std::move(name), value.substr(1)};
  auto content = read_input_value(value.substr(1));
  if (!content) {
    Error error = content.error();
    error.message = "--input " + name + ": " + error.message;
    return error;
  }
  if (content->find('\0') != std::string::npos)
    return Error{Errc::INVALID_ARGUMENT,
                 "--input " + name + ": " + runtime::display_path(value.substr(1)) +
                     " holds zero bytes, which no text can; store it as an artifact"};
  return std::pair{std::move(name), std::move(*content)};
}

// What can be told without a node: inputs without "=", text that no message can carry. Tells every
// problem that the melody and the inputs have.
bool is_sound(Context& context, const RunArguments& arguments, const MelodyFile& melody) {
  const auto& text = melody.text;
  const bool carried = is_utf8(text) && text.find('\0') == std::string::npos;
  const bool assigned =
      std::all_of(arguments.inputs.begin(), arguments.inputs.end(),
                  [](const auto& input) { return input.find('=') != input.npos; });
  if (carried && assigned) return true;
  actors::OperatorRegistry registry;
  extensions::add_builtin_operators(registry);
  auto problems = actors::load_melody(text, melody.name, registry).problems;
  const auto parsed = actors::parse_melody(text, melody.name).melody;
  problems.append(actors::bind_inputs(parsed.inputs, arguments.inputs).problems);
  if (problems.empty())
    return context.fail(bootstrap::kExitUsage, melody.name + ": is not UTF-8 text"), false;
  return context.fail(problems), false;
}

// What is to be run, all of it; nothing, and told, when something is wrong.
std::optional<Request> make_request(Context& context, const RunArguments& arguments) {
  auto directory = working_directory(context);
  if (!directory) return std::nullopt;
  auto melody = read_melody(arguments.melody);
  if (!melody) return context.fail(bootstrap::kExitUsage, melody.error().message), std::nullopt;
  if (!is_sound(context, arguments, *melody)) return std::nullopt;
  Request request{std::move(*melody), std::move(*directory), {}, {}};
  for (const auto& assignment : arguments.inputs) {
    auto input = input_of(assignment);
    if (!input) return context.fail(bootstrap::kExitUsage, input.error().message), std::nullopt;
    request.inputs.push_back(std::move(*input));
  }
  request.environment = environment_for(request.melody.text);
  return request;
}

Ask<protocol::Engine::Run> start(const Ref<protocol::Engine>& engine, const RunArguments& arguments,
                                 const Request& request) {
  return engine
      .run([&](messages::StartRunRequest::Builder out) {
        out.setText(request.melody.text);
        const auto file =
            (std::filesystem::path(request.directory) / request.melody.name).lexically_normal();
        out.setFile(runtime::encode_path(file.native()));
        out.setDirectory(runtime::encode_path(request.directory));
        out.setWeight(arguments.weight);
        out.setAttached(!arguments.detach);
        auto inputs = out.initInputs(static_cast<unsigned>(request.inputs.size()));
        for (unsigned i = 0; i < inputs.size(); ++i) {
          inputs[i].setName(runtime::encode_path(request.inputs[i].first));
          inputs[i].setValue(runtime::encode_path(request.inputs[i].second));
        }
        write(out.initEnvironment(static_cast<unsigned>(request.environment.size())),
              request.environment);
      })
      .within(kStartTimeout);
}

Ask<protocol::Engine::Resume> take_up(const Ref<protocol::Engine>& engine,
                                      const RunArguments& arguments, const std::string& text) {
  return engine
      .resume([&](messages::ResumeRunRequest::Builder request) {
        request.setRun(arguments.resume);
        request.setAgain(arguments.again);
        request.setAttached(!arguments.detach);
        const auto environment = environment_for(text);
        write(request.initEnvironment(static_cast<unsigned>(environment.size())), environment);
      })
      .within(kStartTimeout);
}

void print_problems(Context& context, capnp::List<messages::Problem>::Reader problems) {
  context.exit_code = bootstrap::kExitUsage;
  for (const auto problem : problems) {
    const auto text = problem.getText().size() > 0 ? problem.getText() : problem.getMessage();
    if (context.json)
      fmt::print(stderr, "{}\n",
                 Json{{"kind", "error"},
                      {"exitCode", context.exit_code},
                      {"file", problem.getFile().cStr()},
                      {"line", problem.getLine()},
                      {"column", problem.getColumn()},
                      {"key", problem.getKey().cStr()},
                      {"message", text.cStr()}}
                     .dump(-1, ' ', false, Json::error_handler_t::replace));
    else
      fmt::print(stderr, "{}\n", one_line(text.cStr()));
  }
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
  std::optional<Request> request;
  if (!arguments.melody.empty()) {
    request = make_request(context, arguments);
    if (!request) return;
  }
  const auto session = context.connect_or_start("run");
  if (session == nullptr) return;
  const Ref<protocol::Engine> engine{session->client()};
  if (!arguments.detach)  // never answered: while it is open, the run has somebody who waits for it
    session->desk().ask(engine.attach().within(kAttachedFor), [](auto) {});
  std::string journalled;  // the melody of a run that is taken up
  if (!request) {
    const auto shown = show(*session, arguments.resume);
    if (shown) journalled = (*shown)->getHead().getText().cStr();
  }
  const auto answer = request ? session->desk().await(start(engine, arguments, *request))
                              : session->desk().await(take_up(engine, arguments, journalled));
  if (!answer) {
    if (session->desk().interrupts() > 0)
      return context.fail(session->desk().exit_code(), "cancelled before the run began");
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
                      "The melody: a TOML file, the name of one that is installed, or - for "
                      "standard input");
  command
      ->add_option("--input,-i", arguments->inputs,
                   "One input of the melody, as name=value, or name=@FILE for what a file holds "
                   "(@- for standard input, @@ for a value that begins with @); may be repeated")
      ->type_name("NAME=VALUE")
      ->take_all()
      ->expected(1)
      ->allow_extra_args(false);
  command
      ->add_option("--resume", arguments->resume,
                   "Take up a run that was cut short: its id, or the unique beginning of it")
      ->type_name("ID");
  command->add_flag("--again", arguments->again, "With --resume: also what failed");
  command->add_flag("--detach", arguments->detach,
                    "Print the id of the run and leave; the node goes on with it");
  command
      ->add_option("--weight", arguments->weight,
                   "This run's share of cores and memory against other runs' (else 1)")
      ->check(CLI::Range(1, 1000));
  command->footer(
      "Examples: symphony run config/melodies/repo-report.toml --input path=.\n"
      "          symphony run - --input text=@notes.md < melody.toml\n"
      "          symphony run --resume 0192\n"
      "Works through the node that is running, else starts one, which ends by itself some seconds\n"
      "after its last client and its last run. The run belongs to the working directory: relative\n"
      "paths in the melody start there, also when it is resumed from elsewhere. Ctrl-C cancels "
      "it;\n"
      "a second one kills what it started, and leaves. A run also ends with this command when "
      "that\n"
      "is killed. However it ended, it can be resumed, and nothing that is done is done again. "
      "With\n"
      "--json: a line an event, then one with the summary.\n"
      "Exit codes: 0 succeeded, 1 work failed, 2 bad melody or inputs, 130 cancelled (129 by "
      "SIGHUP,\n"
      "143 by SIGTERM).");
  command->callback([&context, arguments] { run(context, *arguments); });
}

}  // namespace symphony::cli
