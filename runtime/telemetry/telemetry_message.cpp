#include "runtime/telemetry/telemetry_message.hpp"

#include <algorithm>

namespace symphony::runtime {
namespace {

void write_latency(const HistogramSnapshot& from, messages::LatencySummary::Builder out) {
  out.setCount(from.count());
  out.setP50Ns(from.percentile(0.50));
  out.setP90Ns(from.percentile(0.90));
  out.setP99Ns(from.percentile(0.99));
  out.setMaxNs(from.max);
  out.setSumNs(from.sum);
}

}  // namespace

void write_stats(const ComponentSnapshot& snapshot, messages::ComponentStats::Builder out) {
  out.setDepth(static_cast<std::uint64_t>(std::max<std::int64_t>(snapshot.mailbox_depth, 0)));
  out.setProcessed(snapshot.processed);
  out.setRefused(snapshot.refused);
  out.setFailed(snapshot.failed);
  out.setDropped(snapshot.dropped);
  out.setRestarts(static_cast<std::uint32_t>(snapshot.restarts));
  write_latency(snapshot.waiting_ns, out.initWaiting());
  write_latency(snapshot.handling_ns, out.initHandling());
  auto errors = out.initLastErrors(static_cast<unsigned>(snapshot.errors.size()));
  for (unsigned i = 0; i < snapshot.errors.size(); ++i) errors.set(i, snapshot.errors[i].text);
}

}  // namespace symphony::runtime
