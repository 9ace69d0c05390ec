// A DAG tracker on virtual time and on a storage of its own, to be asked in a few words.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "actors/pit/dag/dag.hpp"
#include "runtime/testing/test_node.hpp"
#include "tests/actors/pit/fake_writer.hpp"
#include "tests/support/temp_dir.hpp"

namespace symphony::actors::test {

using runtime::Host;
using runtime::Storage;
using runtime::TestNode;
using Nodes = std::vector<NodeId>;
using Batch = Result<Msg<messages::RunBatchResponse>>;

struct PlannedNode {
  std::string name;
  Nodes needs = {};
  bool mapped = false;
  std::uint32_t attempts = 1;
  std::uint32_t backoff_ms = 0;
};

struct Told {
  NodeId node;
  messages::Outcome outcome = messages::Outcome::SUCCEEDED;
  std::string json = {};
  std::uint32_t children = 0;
  std::uint64_t duration_us = 0;
  bool retryable = false;
  std::string digest = {};
  std::uint32_t attempt = 0;
};

constexpr auto kFailed = messages::Outcome::FAILED;
constexpr auto kExpanded = messages::Outcome::EXPANDED;

// One storage; the component on it can be made anew, as after a crash of its node.
struct Bench {
  explicit Bench(DagOptions wanted = {})
      : storage(std::move(Storage::open(dir.path())).value()), writer(*storage), options(wanted) {
    restart();
  }
  void restart() {
    dag.reset();
    node = std::make_unique<TestNode>();
    node->spawn("/pit/dag", [this](Host& host) {
      return std::make_unique<Dag>(host, *storage, writer, options);
    });
    dag = std::make_unique<WaitingRef<protocol::Dag>>(node->asker());
  }

  static void fill_plan(messages::CreateRunRequest::Builder request, const std::string& run,
                        const std::vector<PlannedNode>& plan, std::int64_t started_ns) {
    auto head = request.initHead();
    head.setRun(run);
    head.setMelody("tune");
    head.setVersion("1.2");
    head.setInputsJson("{\"path\":\".\"}");
    head.setStartedNs(started_ns);
    auto nodes = request.initNodes(static_cast<unsigned>(plan.size()));
    std::vector<std::pair<NodeId, NodeId>> edges;
    for (unsigned i = 0; i < plan.size(); ++i) {
      nodes[i].setName(plan[i].name);
      nodes[i].setMapped(plan[i].mapped);
      nodes[i].setAttempts(plan[i].attempts);
      nodes[i].setBackoffMs(plan[i].backoff_ms);
      for (const NodeId from : plan[i].needs) edges.emplace_back(from, i);
    }
    auto out = request.initEdges(static_cast<unsigned>(edges.size()));
    for (unsigned i = 0; i < out.size(); ++i) {
      out[i].setFrom(edges[i].first);
      out[i].setTo(edges[i].second);
    }
  }
  Batch create(const std::string& run, const std::vector<PlannedNode>& plan,
               std::int64_t started_ns = 1'000) {
    return dag->create([&](auto request) { fill_plan(request, run, plan, started_ns); }).get();
  }
  Batch open(const std::string& run, bool again = false) {
    return dag
        ->open([&](auto request) {
          request.setRun(run);
          request.setAgain(again);
        })
        .get();
  }
  Batch complete(const std::string& run, const std::vector<Told>& told, const Nodes& started = {}) {
    return dag
        ->complete([&](messages::CompleteNodesRequest::Builder request) {
          request.setRun(run);
          auto running = request.initStarted(static_cast<unsigned>(started.size()));
          for (unsigned i = 0; i < running.size(); ++i) running.set(i, started[i]);
          auto outcomes = request.initOutcomes(static_cast<unsigned>(told.size()));
          for (unsigned i = 0; i < outcomes.size(); ++i) {
            outcomes[i].setNode(told[i].node);
            outcomes[i].setOutcome(told[i].outcome);
            outcomes[i].setChildren(told[i].children);
            outcomes[i].setResultJson(told[i].json);
            outcomes[i].setResultDigest(told[i].digest);
            outcomes[i].setDurationUs(told[i].duration_us);
            outcomes[i].setAttempt(told[i].attempt);
            if (told[i].outcome != kFailed) continue;
            auto error = outcomes[i].initError();
            error.setCode(Errc::RESOURCE_EXHAUSTED);
            error.setMessage("out of paper");
            error.setRetryable(told[i].retryable);
          }
        })
        .get();
  }
  Status sync(const std::string& run) {
    const auto synced = dag->sync([&](auto request) { request.setRun(run); }).get();
    return synced ? Status{} : Status{synced.error()};
  }
  Result<Msg<messages::NodeResultsResponse>> results(const std::string& run,
                                                     std::uint32_t offset = 0,
                                                     std::uint32_t max = 0, bool brief = false,
                                                     bool failed_only = false) {
    return dag
        ->results([&](auto request) {
          request.setRun(run);
          request.setOffset(offset);
          request.setMax(max);
          request.setBrief(brief);
          request.setFailedOnly(failed_only);
        })
        .get();
  }
  Result<Msg<messages::ShowRunResponse>> show(const std::string& run) {
    return dag->show([&](auto request) { request.setRun(run); }).get();
  }
  Result<Msg<messages::CancelRunResponse>> cancel(const std::string& run,
                                                  const std::string& failure = "") {
    return dag
        ->cancel_run([&](auto request) {
          request.setRun(run);
          request.setFailure(failure);
        })
        .get();
  }
  std::vector<std::string> list(bool unfinished = false, const std::string& before = "",
                                std::uint32_t max = 0) {
    const auto page = dag->list([&](auto request) {
                           request.setUnfinished(unfinished);
                           request.setBefore(before);
                           request.setMax(max);
                         })
                          .get();
    std::vector<std::string> runs;
    for (const auto row : (*page)->getRuns()) runs.emplace_back(row.getRun().cStr());
    return runs;
  }

  symphony::test::TempDir dir;
  std::unique_ptr<Storage> storage;
  FakeWriter writer;
  DagOptions options;
  std::unique_ptr<TestNode> node;
  std::unique_ptr<WaitingRef<protocol::Dag>> dag;
};

inline Nodes ready(const Batch& batch) {
  if (!batch) {
    ADD_FAILURE() << to_string(batch.error());
    return {};
  }
  Nodes nodes;
  for (const NodeId node : (*batch)->getReady()) nodes.push_back(node);
  return nodes;
}

inline const std::vector<PlannedNode> kDiamond = {{"a"}, {"b", {0}}, {"c", {0}}, {"d", {1, 2}}};

}  // namespace symphony::actors::test
