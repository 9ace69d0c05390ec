// process.run.
#include "extensions/operators/operators.hpp"

#include <algorithm>
#include <map>
#include <string>

#include "extensions/operators/kit.hpp"
#include "extensions/operators/paths.hpp"
#include "extensions/operators/process/excerpt.hpp"
#include "runtime/process/process.hpp"

namespace symphony::extensions {

namespace {

using actors::OperatorContext;
using actors::ValueType;
using runtime::kMaxProcessArguments;
using runtime::ProcessCommand;
using runtime::ProcessOutcome;

constexpr std::int64_t kMaxTimeoutMs = std::int64_t{7} * 24 * 3600 * 1000;

std::string raw_text(ArgumentReader& args, std::string_view field, const std::string& text) {
  std::string raw = decode_path(text);
  if (raw.find('\0') != std::string::npos)
    args.fail(field, std::string(field) + " holds a zero byte, which no argument can");
  return raw;
}

// The environment as sorted NAME=value.
std::vector<std::string> environment(ArgumentReader& args, const OperatorContext& context) {
  const std::string& mode = args.choice("environment_mode", {"extend", "replace"});
  std::map<std::string, std::string> variables;
  if (mode == "extend") {
    for (const std::string& text : context.environment()) {
      const auto equals = text.find('=');
      variables.emplace(text.substr(0, equals), text.substr(equals + 1));
    }
  }
  for (const auto& [name, value] : args.object("environment").items()) {
    const std::string field = "environment." + name;
    if (name.empty() || name.find('=') != std::string::npos) {
      args.fail(field, "'" + name + "' is no name of a variable");
    } else if (value.is_null()) {
      variables.erase(name);
    } else if (const auto* text = value.get_ptr<const std::string*>()) {
      variables[raw_text(args, field, name)] = raw_text(args, field, *text);
    } else {
      args.fail(field, field + " must be text, or null to leave it out");
    }
  }
  std::vector<std::string> list;
  for (const auto& [name, value] : variables) list.push_back(name + "=" + value);
  return list;
}

std::vector<int> accepted_exit_codes(ArgumentReader& args) {
  std::vector<int> codes;
  for (const auto& code : args.list("ok_exit_codes")) {
    if (!code.is_number_integer() || code.get<std::int64_t>() < 0 ||
        code.get<std::int64_t>() > 255) {
      args.fail("ok_exit_codes", "an exit code is an integer from 0 to 255");
      break;
    }
    codes.push_back(code.get<int>());
  }
  return codes;
}

// What the program said of its failure: on standard error, or, when it said nothing there, on
// standard output.
std::string last_words(const ProcessOutcome& outcome) {
  std::string text = excerpt({outcome.err, outcome.err_tail, outcome.err_bytes});
  if (!text.empty()) return text;
  text = excerpt({outcome.out, outcome.out_tail, outcome.out_bytes});
  return text.empty() ? text : "; it printed" + text;
}

Status judge(const ProcessOutcome& outcome, const std::string& program,
             const std::vector<int>& accepted, std::int64_t timeout_ms) {
  const std::string name = "'" + encode_path(program) + "'";
  if (outcome.cancelled)
    return Error{Errc::CANCELLED, name + " was ended because the run was cancelled"};
  if (outcome.timed_out) {
    return Error{Errc::DEADLINE_EXCEEDED, name + " was ended after " +
                                              std::to_string(outcome.duration.count()) +
                                              " ms (timeout_ms is " + std::to_string(timeout_ms) +
                                              ")" + last_words(outcome)};
  }
  // No list accepts every exit, but an end by signal is never asked for.
  if (outcome.signal != 0) {
    return Error{
        Errc::FAILED_PRECONDITION,
        name + " was ended by signal " + std::to_string(outcome.signal) + last_words(outcome)};
  }
  if (accepted.empty() || std::ranges::find(accepted, outcome.exit_code) != accepted.end())
    return {};
  return Error{
      Errc::FAILED_PRECONDITION,
      name + " ended with exit code " + std::to_string(outcome.exit_code) + last_words(outcome)};
}

// `ls | wc -l` as the name of a program is a line for a shell.
Error with_hint(Error error, const std::string& program) {
  if (error.code == Errc::NOT_FOUND && program.find_first_of(" |&;<>$`*") != std::string::npos)
    error.message += " (no shell reads it; for one: command = [\"sh\", \"-c\", \"…\"])";
  return error;
}

Result<Json> run(ArgumentReader& args, OperatorContext& context) {
  ProcessCommand command;
  for (const auto& argument : args.texts("command"))
    command.arguments.push_back(raw_text(args, "command", argument));
  if (command.arguments.empty() || command.arguments.front().empty())
    args.fail("command", "command must name a program");
  if (command.arguments.size() > kMaxProcessArguments)
    args.fail("command", "command has more than 10,000 arguments");
  command.environment = environment(args, context);
  command.directory = args.root("directory");
  command.input = args.text("stdin");
  command.max_output_bytes =
      static_cast<std::size_t>(args.integer("output_limit_bytes", 0, kMaxResultBytes));
  const auto timeout_ms = args.integer("timeout_ms", 0, kMaxTimeoutMs);
  const auto accepted = accepted_exit_codes(args);
  if (auto status = args.status(); !status) return status.error();

  command.deadline = context.deadline();
  if (timeout_ms > 0) {
    const auto own = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
    command.deadline = std::min(command.deadline, own);
  }
  command.hurried = [&] { return context.hurried(); };
  command.alone_as = context.name();
  command.on_output = [&](runtime::OutputStream stream, std::string_view bytes) {
    context.output(stream, bytes);
  };
  auto outcome =
      runtime::run_process(context.fork_server(), command, [&] { return context.cancelled(); });
  if (!outcome) return with_hint(std::move(outcome).error(), command.arguments.front());
  if (auto good = judge(*outcome, command.arguments.front(), accepted, timeout_ms); !good)
    return good.error();
  return Json{{"exit_code", outcome->exit_code},
              {"signal", outcome->signal},
              {"stdout", to_utf8_lossy(outcome->out)},
              {"stderr", to_utf8_lossy(outcome->err)},
              {"stdout_truncated", outcome->out_truncated},
              {"stderr_truncated", outcome->err_truncated},
              {"duration_ms", outcome->duration.count()}};
}

}  // namespace

void add_process_operators(actors::OperatorRegistry& registry) {
  registry.add(make_operator(
      {.name = "process.run",
       .summary = "Runs a program without a shell or a terminal, and waits for it; whatever it "
                  "starts ends "
                  "with it",
       .arguments =
           {required("command", ValueType::list,
                     "program (looked up in PATH) and its arguments, as path-text"),
            optional("directory", ValueType::path, "",
                     "where it runs; empty: the directory of the run"),
            optional("environment", ValueType::object, nullptr,
                     "variables to set; null leaves one out"),
            optional("environment_mode", ValueType::text, "extend",
                     "extend what the run has of its caller's and its melody sets (env, pass_env), "
                     "or replace it"),
            optional("stdin", ValueType::text, "", "text for its standard input"),
            optional(
                "timeout_ms", ValueType::integer, 600'000,
                "end it after so many milliseconds: SIGTERM, 1 s later SIGKILL, to all that it "
                "started; 0: only the node's own deadline"),
            optional("output_limit_bytes", ValueType::integer, 1024 * 1024,
                     "keep so many bytes of each of stdout and stderr; the rest is dropped"),
            optional("ok_exit_codes", ValueType::list, Json::array({0}),
                     "any other exit code is an error; empty: all are fine")},
       .results = {result("exit_code", ValueType::integer, "0 to 255"),
                   result("signal", ValueType::integer, "always 0: an end by signal is an error"),
                   result("stdout", ValueType::text, "its output; bytes not UTF-8 become U+FFFD"),
                   result("stderr", ValueType::text, "its error output, likewise"),
                   result("stdout_truncated", ValueType::boolean, "whether output was dropped"),
                   result("stderr_truncated", ValueType::boolean,
                          "whether error output was dropped"),
                   result("duration_ms", ValueType::integer, "from start to end in milliseconds")}},
      run));
}

}  // namespace symphony::extensions
