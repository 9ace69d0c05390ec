@0xa77c1e9b3d5f0246;
# Who may use the node's cores and memory, and when.
using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("symphony::messages");
using import "annotations.capnp".name;
using import "annotations.capnp".idempotent;
using import "error.capnp".Error;

interface Arbitration $name("/pit/arbitration") {
  # Grants never exceed the node's capacity, several runs share it fairly, and nobody starves.
  exchange @0 ExchangeRequest -> ExchangeResponse;
  # Gives back, asks for more, and waits for grants: one round for a whole batch. Answered as soon
  # as there is a grant for the run, or when a newer exchange of the same run arrives.
  close @1 CloseRunRequest -> CloseRunResponse $idempotent;
  # The run is over: what it has queued is dropped and what it holds is returned.
  status @2 ArbitrationStatusRequest -> ArbitrationStatusResponse $idempotent;
}

struct Demand {
  key @0 :UInt64;          # chosen by the asker, unique in its run
  millicores @1 :UInt64;   # 1000 are one core
  memoryBytes @2 :UInt64;
  priority @3 :Int32;      # higher first, within the run
  rank @4 :Float64;        # among equal priorities, higher first
}

struct ExchangeRequest {
  run @0 :Text;
  weight @1 :UInt32;       # share of this run against others; 0: 1
  release @2 :List(UInt64);
  demands @3 :List(Demand);
  withdraw @4 :List(UInt64);
}
struct ExchangeResponse {
  granted @0 :List(UInt64);
  refused @1 :List(Refusal);
}
struct Refusal {
  key @0 :UInt64;
  error @1 :Error;
}

struct CloseRunRequest {
  run @0 :Text;
}
struct CloseRunResponse {}

struct ArbitrationStatusRequest {}
struct ArbitrationStatusResponse {
  capacityMillicores @0 :UInt64;
  capacityMemoryBytes @1 :UInt64;
  usedMillicores @2 :UInt64;
  usedMemoryBytes @3 :UInt64;
  runs @4 :List(RunShare);
  fairness @5 :Float64;    # Jain's index: 1 is perfectly fair
}
struct RunShare {
  run @0 :Text;
  weight @1 :UInt32;
  usedMillicores @2 :UInt64;
  usedMemoryBytes @3 :UInt64;
  queued @4 :UInt64;
  held @5 :UInt64;
  longestWaitMs @6 :UInt64;
}
