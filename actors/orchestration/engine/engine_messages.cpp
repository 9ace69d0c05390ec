#include "actors/orchestration/engine/engine_messages.hpp"

#include <algorithm>

#include "messages/envelope.hpp"
#include "runtime/text/path_text.hpp"

namespace symphony::actors {

Environment read(capnp::List<messages::EnvironmentVariable>::Reader variables) {
  const auto bytes = [](capnp::Text::Reader text) {
    return runtime::decode_path({text.cStr(), text.size()});
  };
  Environment environment;
  for (const auto variable : variables)
    environment.insert_or_assign(bytes(variable.getName()), bytes(variable.getValue()));
  return environment;
}

void write(messages::RunHead::Builder out, const RunHeader& header) {
  out.setRun(header.run);
  out.setMelody(header.melody);
  out.setVersion(header.version);
  out.setFile(header.file);
  out.setText(header.text);
  out.setInputsJson(header.inputs);
  out.setStartedNs(header.started_ns);
  out.setHost(header.host);
  out.setDirectory(header.directory);
  out.setWeight(header.weight);
  out.setAttached(header.attached);
}

RunHeader read(messages::RunHead::Reader head) {
  return {head.getRun().cStr(),       head.getMelody().cStr(),
          head.getVersion().cStr(),   head.getFile().cStr(),
          head.getText().cStr(),      head.getInputsJson().cStr(),
          head.getStartedNs(),        head.getHost().cStr(),
          head.getDirectory().cStr(), std::max<std::uint32_t>(head.getWeight(), 1),
          head.getAttached()};
}

// `weights`: expected durations in microseconds.
void write(messages::CreateRunRequest::Builder out, const Plan& plan, const RunHeader& header,
           const std::vector<double>& weights) {
  write(out.initHead(), header);
  auto nodes = out.initNodes(static_cast<unsigned>(plan.nodes.size()));
  std::size_t edge_count = 0;
  for (unsigned i = 0; i < nodes.size(); ++i) {
    const PlanNode& node = plan.nodes[i];
    nodes[i].setName(node.name);
    nodes[i].setWeight(weights[i]);
    nodes[i].setMapped(node.map.has_value());
    nodes[i].setAttempts(node.policy.retry.attempts);
    nodes[i].setBackoffMs(node.policy.retry.backoff_ms);
    nodes[i].setMaxBackoffMs(node.policy.retry.max_backoff_ms);
    edge_count += node.needs.size();
  }
  auto edges = out.initEdges(static_cast<unsigned>(edge_count));
  unsigned next = 0;
  for (NodeIndex i = 0; i < plan.nodes.size(); ++i) {
    for (const NodeIndex need : plan.nodes[i].needs) {
      edges[next].setFrom(need);
      edges[next++].setTo(i);
    }
  }
}

void write(messages::CompleteNodesRequest::Builder out, const std::string& run,
           const RunCore::Batch& batch) {
  out.setRun(run);
  auto outcomes = out.initOutcomes(static_cast<unsigned>(batch.reports.size()));
  for (unsigned i = 0; i < outcomes.size(); ++i) {
    const NodeReport& report = batch.reports[i];
    auto outcome = outcomes[i];
    outcome.setNode(report.item.node);
    outcome.setAttempt(report.item.attempt);
    outcome.setOutcome(report.outcome);
    outcome.setChildren(report.children);
    if (!report.text.empty()) outcome.setResultJson(report.text);
    if (!report.digest.empty()) outcome.setResultDigest(report.digest);
    if (report.error) write_error(outcome.initError(), *report.error);
    outcome.setStartedNs(report.started_ns);
    outcome.setDurationUs(report.duration_us);
  }
  auto started = out.initStarted(static_cast<unsigned>(batch.started.size()));
  for (unsigned i = 0; i < started.size(); ++i) started.set(i, batch.started[i]);
}

RunPlan run_plan(const Plan& plan, const std::vector<double>& weights) {
  RunPlan out{plan.graph, {}};
  out.nodes.reserve(plan.nodes.size());
  for (std::size_t i = 0; i < plan.nodes.size(); ++i) {
    const NodeRetry& retry = plan.nodes[i].policy.retry;
    out.nodes.push_back(RunNode::of(weights[i], plan.nodes[i].map.has_value(),
                                    {retry.attempts, retry.backoff_ms, retry.max_backoff_ms}));
  }
  return out;
}

void write(capnp::List<messages::Problem>::Builder out, const runtime::Problems& problems) {
  unsigned i = 0;
  for (const runtime::Problem& problem : problems) {
    auto entry = out[i++];
    entry.setFile(std::string(problem.mark.name()));
    entry.setLine(problem.mark.line());
    entry.setColumn(problem.mark.column());
    entry.setKey(problem.path);
    entry.setMessage(problem.message);
    entry.setText(problem.text());
  }
}

void write(messages::RunEvent::Builder out, const RunEvent& event, const RunCore& core) {
  using messages::RunEventKind;
  out.setSequence(event.sequence);
  out.setTimeNs(event.time_ns);
  out.setKind(event.kind);
  if (event.kind != RunEventKind::STARTED && event.kind != RunEventKind::ENDED)
    out.setNode(core.name_of(event.item));
  out.setDurationUs(event.duration_us);
  out.setChildren(event.children);
  if (event.error) write_error(out.initError(), *event.error);
  out.setStatus(event.status);
}

void write(messages::RunProgress::Builder out, const RunProgress& progress) {
  out.setWaiting(progress.waiting);
  out.setReady(progress.ready);
  out.setRunning(progress.running);
  out.setDone(progress.done);
  out.setFailed(progress.failed);
  out.setSkipped(progress.skipped);
  out.setCancelled(progress.cancelled);
}

void write_nodes(capnp::List<messages::MelodyNodeProgress>::Builder out, const Plan& plan,
                 const std::vector<MelodyNodeState>& states) {
  for (unsigned i = 0; i < states.size(); ++i) {
    const MelodyNodeState& state = states[i];
    auto node = out[i];
    node.setName(plan.nodes[i].name);
    node.setOperator(plan.nodes[i].use);
    node.setStatus(static_cast<messages::NodeStatus>(state.status));
    node.setMapped(plan.nodes[i].map.has_value());
    node.setTotal(state.total);
    node.setDone(state.done);
    node.setFailed(state.failed);
    node.setRunning(state.running);
    node.setElapsedUs(state.elapsed_us);
    node.setCritical(state.critical);
    if (state.error) node.setError(to_string(*state.error));
  }
}

}  // namespace symphony::actors
