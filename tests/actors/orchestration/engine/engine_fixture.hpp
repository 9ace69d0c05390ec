// A node on virtual time with the real Pit and the engine, and operators that do as they are told
// and count what was executed.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "actors/orchestration/engine/engine.hpp"
#include "actors/pit/arbitration/arbitration.hpp"
#include "actors/pit/artifacts/artifacts.hpp"
#include "actors/pit/dag/dag.hpp"
#include "runtime/testing/test_node.hpp"
#include "tests/support/temp_dir.hpp"

namespace symphony::actors::test {

using Inputs = std::vector<std::pair<std::string, std::string>>;

class ScriptedOperator final : public Operator {
 public:
  using Script = std::function<Result<Json>(const Json&, OperatorContext&)>;
  ScriptedOperator(OperatorSpec spec, Script script)
      : spec_(std::move(spec)), script_(std::move(script)) {}
  const OperatorSpec& spec() const noexcept override { return spec_; }
  Result<Json> run(const Json& arguments, OperatorContext& context) const override {
    return script_(arguments, context);
  }

 private:
  OperatorSpec spec_;
  Script script_;
};

// What survives the death of a node.
struct World {
  symphony::test::TempDir dir;
  std::mutex mutex;
  std::map<std::string, int> executed;  // by the value that an operator was given
  std::function<Result<Json>(const Json&, OperatorContext&)> script;  // of test.script
  int busy = 0;  // how many more batches the DAG tracker is too busy for

  void count(const Json& value) {
    const std::lock_guard lock(mutex);
    ++executed[value.is_string() ? value.get<std::string>() : value.dump()];
  }
};

// A DAG tracker whose disk is behind, now and then.
class BusyDag final : public Dag {
 public:
  BusyDag(runtime::Host& host, runtime::Storage& storage, runtime::StorageWriter& writer,
          World& world)
      : Dag(host, storage, writer), world_(world) {}
  void complete(Call<protocol::Dag::Complete> call) override {
    if (world_.busy == 0) return Dag::complete(std::move(call));
    --world_.busy;
    call.fail({Errc::OVERLOADED, "the disk is behind", "", true});
  }

 private:
  World& world_;
};

struct Ended {
  messages::RunStatus status{};
  Json outputs;
  std::vector<std::string> failures;  // "node: error"
  std::uint32_t executed = 0;
  std::uint64_t artifacts = 0;
  std::vector<std::string> critical_path;
};

class EngineNode {
 public:
  explicit EngineNode(World& world, EngineOptions options = {}, std::uint64_t cores = 2,
                      std::uint64_t seed = 0, bool supervised = false)
      : world_(world) {
    storage_ = std::move(runtime::Storage::open(world.dir.path()).value());
    writer_ = std::make_unique<runtime::InlineStorageWriter>(*storage_);
    node_ = std::make_unique<runtime::TestNode>(seed);
    add_operators();
    spawn_dag();
    node_->spawn("/pit/arbitration", [cores](runtime::Host& host) {
      return std::make_unique<Arbitration>(
          host, ArbitrationOptions{{cores * 1000, std::uint64_t{8} << 30}});
    });
    node_->spawn("/pit/artifacts", [this](runtime::Host& host) {
      return std::make_unique<Artifacts>(host, *storage_, *writer_);
    });
    options.operators = &operators_;
    options.asker = &node_->asker();
    options.host = "testhost";
    options.linger_yields = 0;
    const auto make = [options](runtime::Host& host) {
      return std::make_unique<Engine>(host, options);
    };
    if (supervised) {
      runtime::ChildPlan plan;
      plan.spec.id = plan.component.name = "/orchestration/engine";
      plan.component.make = make;
      const auto status = node_->supervise({.id = "/orchestration"}, {plan});
      SYMPHONY_ASSERT(status.ok());
    } else {
      node_->spawn("/orchestration/engine", make);
    }
    engine_.emplace(node_->asker());
    dag_.emplace(node_->asker());
  }

  runtime::TestNode& node() { return *node_; }
  // Again: as after a crash of the component.
  void spawn_dag() {
    node_->spawn("/pit/dag", [this](runtime::Host& host) {
      return std::make_unique<BusyDag>(host, *storage_, *writer_, world_);
    });
  }
  const WaitingRef<protocol::Engine>& engine() const { return *engine_; }
  const WaitingRef<protocol::Dag>& dag() const { return *dag_; }

  auto ask_run(const std::string& text, const Inputs& inputs = {}) {
    return engine().run([&](messages::StartRunRequest::Builder request) {
      request.setText(text);
      request.setFile("/melodies/test.toml");
      request.setDirectory("/home/me");
      auto list = request.initInputs(static_cast<unsigned>(inputs.size()));
      for (unsigned i = 0; i < inputs.size(); ++i) {
        list[i].setName(inputs[i].first);
        list[i].setValue(inputs[i].second);
      }
    });
  }
  std::string start(const std::string& text, const Inputs& inputs = {}) {
    const auto started = ask_run(text, inputs).get();
    EXPECT_TRUE(started.ok()) << to_string(started.error());
    if (!started) return {};
    for (const auto problem : (*started)->getProblems()) ADD_FAILURE() << problem.getText().cStr();
    return (*started)->getRun().cStr();
  }
  std::string resume(const std::string& id, bool again = false) {
    const auto resumed = engine()
                             .resume([&](auto request) {
                               request.setRun(id);
                               request.setAgain(again);
                             })
                             .get();
    EXPECT_TRUE(resumed.ok()) << to_string(resumed.error());
    return resumed.ok() ? (*resumed)->getRun().cStr() : "";
  }

  Result<Msg<messages::RunProgressResponse>> progress(const std::string& id) {
    return engine().progress([&](auto request) { request.setRun(id); }).get();
  }

  Ended finish(const std::string& id) {
    for (int i = 0; i < 10'000; ++i) {
      const auto now = progress(id);
      if (!now) {
        ADD_FAILURE() << to_string(now.error());
        return {};
      }
      if ((*now)->getEnded()) return ended((*now)->getSummary());
      node_->advance(std::chrono::milliseconds(20));
    }
    ADD_FAILURE() << "run " << id << " does not end";
    return {};
  }
  Ended run(const std::string& text, const Inputs& inputs = {}) {
    return finish(start(text, inputs));
  }

  std::vector<std::string> events(const std::string& id) {
    const auto page = engine().events([&](auto request) { request.setRun(id); }).get();
    EXPECT_TRUE(page.ok()) << to_string(page.error());
    std::vector<std::string> all;
    if (!page) return all;
    for (const auto event : (*page)->getEvents()) {
      static constexpr const char* kNames[] = {"started",  "start",     "done",
                                               "failed",   "retry",     "skipped",
                                               "expanded", "cancelled", "ended"};
      std::string text = kNames[static_cast<int>(event.getKind())];
      if (event.getNode().size() > 0) text += std::string(" ") + event.getNode().cStr();
      all.push_back(std::move(text));
    }
    return all;
  }

  // Ids of all runs in the journal, newest first.
  std::vector<std::string> runs() {
    std::vector<std::string> ids;
    const auto page = dag().list().get();
    EXPECT_TRUE(page.ok()) << to_string(page.error());
    if (!page) return ids;
    for (const auto row : (*page)->getRuns()) ids.push_back(row.getRun().cStr());
    return ids;
  }

  // What became of each node, by the journal.
  std::map<std::string, messages::NodeStatus> journal(const std::string& id) {
    std::map<std::string, messages::NodeStatus> nodes;
    const auto page = dag()
                          .results([&](auto request) {
                            request.setRun(id);
                            request.setMax(5'000);
                          })
                          .get();
    EXPECT_TRUE(page.ok()) << to_string(page.error());
    if (!page) return nodes;
    for (const auto row : (*page)->getNodes()) nodes[row.getName().cStr()] = row.getStatus();
    return nodes;
  }

 private:
  static Ended ended(messages::RunSummary::Reader summary) {
    Ended out;
    out.status = summary.getStatus();
    out.outputs = Json::parse(summary.getOutputsJson().cStr());
    for (const auto failure : summary.getFailures())
      out.failures.push_back(std::string(failure.getNode().cStr()) + ": " +
                             to_string(to_error(failure.getError())));
    out.executed = summary.getExecuted();
    out.artifacts = summary.getArtifacts();
    for (const auto name : summary.getCriticalPath()) out.critical_path.push_back(name.cStr());
    return out;
  }

  void add(const char* name, std::vector<ArgumentSpec> arguments, std::vector<ResultSpec> results,
           ScriptedOperator::Script script) {
    operators_.add(std::make_unique<ScriptedOperator>(
        OperatorSpec{name, "Does as it is told.", std::move(arguments), std::move(results)},
        std::move(script)));
  }
  void add_operators() {
    add("test.echo", {{"value", ValueType::any, true, nullptr, "anything"}},
        {{"value", ValueType::any, "the same"}},
        [this](const Json& arguments, OperatorContext&) -> Result<Json> {
          world_.count(arguments["value"]);
          node_->clocks().advance(std::chrono::milliseconds(1));
          return Json{{"value", arguments["value"]}};
        });
    add("test.list", {{"count", ValueType::integer, true, nullptr, "how many"}},
        {{"items", ValueType::list, "0, 1, 2, …"}},
        [](const Json& arguments, OperatorContext&) -> Result<Json> {
          Json items = Json::array();
          for (int i = 0; i < arguments["count"].get<int>(); ++i) items.push_back(i);
          return Json{{"items", std::move(items)}};
        });
    add("test.sleep", {{"ms", ValueType::integer, true, nullptr, "how long"}}, {},
        [this](const Json& arguments, OperatorContext& context) -> Result<Json> {
          for (int slept = 0; slept < arguments["ms"].get<int>(); slept += 5) {
            if (context.cancelled()) return Error{Errc::CANCELLED, "told to stop"};
            node_->clocks().advance(std::chrono::milliseconds(5));
          }
          return Json::object();
        });
    add("test.large", {{"bytes", ValueType::integer, true, nullptr, "size"}},
        {{"text", ValueType::text, "that long"}},
        [](const Json& arguments, OperatorContext&) -> Result<Json> {
          return Json{{"text", std::string(arguments["bytes"].get<std::size_t>(), 'x')}};
        });
    add("test.script", {{"value", ValueType::any, false, nullptr, "anything"}},
        {{"value", ValueType::any, "anything"}},
        [this](const Json& arguments, OperatorContext& context) -> Result<Json> {
          return world_.script(arguments, context);
        });
  }

  World& world_;
  OperatorRegistry operators_;
  std::unique_ptr<runtime::Storage> storage_;
  std::unique_ptr<runtime::StorageWriter> writer_;
  std::unique_ptr<runtime::TestNode> node_;
  std::optional<WaitingRef<protocol::Engine>> engine_;
  std::optional<WaitingRef<protocol::Dag>> dag_;
};

// A melody with this head and tail.
inline std::string melody(const std::string& body) {
  return "name = \"test\"\nversion = \"1\"\n" + body;
}

}  // namespace symphony::actors::test
