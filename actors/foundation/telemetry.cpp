#include "actors/foundation/telemetry.hpp"

#include <unistd.h>

#include <algorithm>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "runtime/component/registry.hpp"
#include "runtime/component/services.hpp"
#include "runtime/system/process_usage.hpp"
#include "runtime/telemetry/telemetry_message.hpp"
#include "runtime/telemetry/telemetry_registry.hpp"

namespace symphony::actors {
namespace {

using StatsList = std::vector<std::shared_ptr<const runtime::ComponentStats>>;

// A handler that runs is busy for at least one nanosecond: 0 means idle.
std::uint64_t busy_ns(const runtime::ComponentSnapshot& snapshot, runtime::MonoTime now) {
  if (!snapshot.running) return 0;
  const runtime::Nanos busy = now - snapshot.running->since;
  return static_cast<std::uint64_t>(std::max<std::int64_t>(busy.count(), 1));
}

// "Dag.create", or numbers for what is not in the catalogue.
std::string method_name(std::uint64_t protocol_id, std::uint16_t ordinal) {
  const auto* protocol = find_protocol(protocol_id);
  if (protocol == nullptr || ordinal >= protocol->methods.size())
    return std::to_string(protocol_id) + "." + std::to_string(ordinal);
  return std::string{protocol->title} + "." + std::string{protocol->methods[ordinal].name};
}

void write_node(const NodeIdentity& node, const runtime::ProcessUsage& usage,
                std::uint64_t dead_letters, messages::NodeInfo::Builder out) {
  out.setName(node.name);
  out.setVersion(node.version);
  out.setPid(static_cast<std::uint32_t>(::getpid()));
  out.setStartedNs(node.started_wall_ns);
  out.setResidentBytes(usage.resident_bytes);
  out.setCpuNs(usage.cpu_ns);
  out.setThreads(usage.threads);
  out.setDeadLetters(dead_letters);
}

}  // namespace

void Telemetry::list(Call<protocol::Telemetry::List> call) {
  const auto usage = runtime::read_process_usage();
  if (!usage) return call.fail(usage.error());

  const auto& services = host().services();
  const auto all = services.telemetry.all();
  const std::string_view after{call->getAfter().cStr(), call->getAfter().size()};
  const auto first = std::upper_bound(
      all.begin(), all.end(), after,
      [](std::string_view name, const auto& stats) { return name < stats->name(); });
  std::size_t max = call->getMax() == 0 ? kRowsMax : call->getMax();
  const auto left = static_cast<std::size_t>(all.end() - first);
  max = std::min({max, kRowsMax, left});

  const auto living = services.registry.living();
  const auto now = services.clocks.mono();
  call.reply([&](messages::ListComponentsResponse::Builder out) {
    auto rows = out.initComponents(static_cast<unsigned>(max));
    for (unsigned i = 0; i < max; ++i) {
      const auto snapshot = first[i]->snapshot();
      rows[i].setName(snapshot.name);
      rows[i].setLiving(std::binary_search(living.begin(), living.end(), snapshot.name));
      rows[i].setStateLine(snapshot.state_line);
      rows[i].setBusyNs(busy_ns(snapshot, now));
      runtime::write_stats(snapshot, rows[i].initStats());
    }
    write_node(node_, *usage, services.dead_letters.count(), out.initNode());
    out.setMore(max < left);
  });
}

void Telemetry::dead_letters(Call<protocol::Telemetry::DeadLetters> call) {
  const auto& letters = host().services().dead_letters;
  const auto samples = letters.samples();
  call.reply([&](messages::DeadLettersResponse::Builder out) {
    out.setCount(letters.count());
    auto rows = out.initSamples(static_cast<unsigned>(samples.size()));
    for (unsigned i = 0; i < samples.size(); ++i) {
      rows[i].setTarget(samples[i].target);
      rows[i].setMethod(method_name(samples[i].protocol, samples[i].method));
      rows[i].setReason(samples[i].reason);
    }
  });
}

}  // namespace symphony::actors
