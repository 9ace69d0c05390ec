#include "actors/orchestration/engine/engine_messages.hpp"

#include "messages/envelope.hpp"

namespace symphony::actors {

using messages::NodeStatus;

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
}

RunHeader read(messages::RunHead::Reader head) {
  return {head.getRun().cStr(),  head.getMelody().cStr(), head.getVersion().cStr(),
          head.getFile().cStr(), head.getText().cStr(),   head.getInputsJson().cStr(),
          head.getStartedNs(),   head.getHost().cStr(),   head.getDirectory().cStr()};
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

JournalledNode read(messages::NodeRow::Reader row) {
  JournalledNode node;
  node.node = row.getNode();
  node.status = row.getStatus();
  node.attempts = row.getAttempts();
  if (row.getParent() >= 0) node.parent = static_cast<NodeId>(row.getParent());
  node.children = row.getChildren();
  if (row.hasError()) node.error = to_error(row.getError());
  node.started_ns = row.getStartedNs();
  node.duration_us = row.getDurationUs();
  return node;
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

void write(messages::RunProgress::Builder out, const RunCore::Counts& counts) {
  const auto count = [&](NodeStatus status) { return counts[static_cast<std::size_t>(status)]; };
  out.setWaiting(count(NodeStatus::WAITING));
  out.setReady(count(NodeStatus::READY));
  out.setRunning(count(NodeStatus::RUNNING));
  out.setDone(count(NodeStatus::DONE));
  out.setFailed(count(NodeStatus::FAILED));
  out.setSkipped(count(NodeStatus::SKIPPED));
  out.setCancelled(count(NodeStatus::CANCELLED));
}

void write_nodes(capnp::List<messages::MelodyNodeProgress>::Builder out, const Plan& plan,
                 const std::vector<MelodyNodeState>& states) {
  for (unsigned i = 0; i < states.size(); ++i) {
    const MelodyNodeState& state = states[i];
    auto node = out[i];
    node.setName(plan.nodes[i].name);
    node.setOperator(plan.nodes[i].use);
    node.setStatus(state.status);
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
