@0xb1f4de03c97a5268;
# Whether a node can do its work.
using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("symphony::messages");
using import "annotations.capnp".name;
using import "annotations.capnp".idempotent;

interface HealthChecker $name("/health") {
  # Judges every component by its progress, and has those replaced that make none.
  check @0 CheckHealthRequest -> CheckHealthResponse $idempotent;
}

struct CheckHealthRequest {}
struct CheckHealthResponse {
  healthy @0 :Bool;
  ready @1 :Bool;                    # every phase is up
  problems @2 :List(HealthProblem);  # empty when healthy
  components @3 :UInt32;             # how many are watched
  checkedNs @4 :Int64;               # Unix time of the latest probe
  replacedTotal @5 :UInt64;          # incarnations given up since the node started
}
struct HealthProblem {
  component @0 :Text;
  detail @1 :Text;
}
