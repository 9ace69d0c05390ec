@0xf0a41b6c22d35e77;
# What every component answers, whatever else it does.
using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("symphony::messages");
using import "annotations.capnp".idempotent;
using import "annotations.capnp".internal;
using import "annotations.capnp".urgent;
using import "error.capnp".Error;

interface Component {
  # The part of every protocol that the runtime itself implements.
  describe @0 DescribeRequest -> DescribeResponse $idempotent $urgent;
  health @1 HealthRequest -> HealthResponse $idempotent $urgent;
  prepare @2 PrepareRequest -> PrepareResponse $internal $urgent;
  # Acquire what is needed; may fail. Followed by `start`.
  start @3 StartRequest -> StartResponse $internal $urgent;
  # Begin to work. When it is answered the component is ready.
  drain @4 DrainRequest -> DrainResponse $internal;
  # Finish what was accepted, refuse what is new. Not urgent: what waits already was accepted.
  stop @5 StopRequest -> StopResponse $internal $urgent;
  # Let go of everything.
}

enum ComponentState {
  created @0;
  preparing @1;
  prepared @2;
  starting @3;
  ready @4;
  draining @5;
  stopping @6;
  stopped @7;
  failed @8;
}

struct DescribeRequest {}
struct DescribeResponse {
  name @0 :Text;
  protocol @1 :Text;
  summary @2 :Text;
  methods @3 :List(MethodDescription);
  state @4 :ComponentState;
  incarnation @5 :UInt32;
  stateLine @6 :Text;
  settings @7 :List(SettingDescription);
  stats @8 :ComponentStats;
}

struct MethodDescription {
  name @0 :Text;
  request @1 :Text;
  response @2 :Text;
  oneway @3 :Bool;
  idempotent @4 :Bool;
  cursor @5 :Bool;
  internal @6 :Bool;
}

struct SettingDescription {
  key @0 :Text;
  value @1 :Text;   # as JSON
  origin @2 :Text;  # where it was set
}

struct LatencySummary {
  count @0 :UInt64;
  p50Ns @1 :UInt64;
  p90Ns @2 :UInt64;
  p99Ns @3 :UInt64;
  maxNs @4 :UInt64;
  sumNs @5 :UInt64;
}

struct ComponentStats {
  # What telemetry knows of a component.
  depth @0 :UInt64;      # messages that wait
  processed @1 :UInt64;
  refused @2 :UInt64;    # mailbox full or draining
  failed @3 :UInt64;     # answered with an error
  dropped @4 :UInt64;    # one-way messages nobody could take
  restarts @5 :UInt32;
  waiting @6 :LatencySummary;
  handling @7 :LatencySummary;
  lastErrors @8 :List(Text);
}

struct HealthRequest {}
struct HealthResponse {
  healthy @0 :Bool;
  detail @1 :Text;
}

struct PrepareRequest {}
struct PrepareResponse {}
struct StartRequest {}
struct StartResponse {}
struct DrainRequest {}
struct DrainResponse {}
struct StopRequest {}
struct StopResponse {}
