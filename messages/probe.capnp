@0x8d60b1f3ce92a74b;
# A component to try a runtime on: it answers, or fails, as it is told. Only test builds have it.
using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("symphony::messages");
using import "annotations.capnp".name;
using import "annotations.capnp".oneway;
using import "annotations.capnp".idempotent;

interface Probe $name("/test/probe") {
  echo @0 EchoRequest -> EchoResponse $idempotent;
  crash @1 CrashRequest -> CrashResponse;
  # The handler throws.
  block @2 BlockRequest -> BlockResponse;
  # The handler does not return until the process lets it (or for `milliseconds`).
  keep @3 KeepRequest -> KeepResponse;
  # Never answered while the component lives.
  count @4 CountRequest -> () $oneway;
  counted @5 CountedRequest -> CountedResponse $idempotent;
  forward @6 ForwardRequest -> ForwardResponse;
  # Asks another probe to `echo`.
}

struct EchoRequest {
  text @0 :Text;
  number @1 :Int64;
  data @2 :Data;
}
struct EchoResponse {
  text @0 :Text;
  number @1 :Int64;
  data @2 :Data;
  incarnation @3 :UInt32;
  deadlineInMs @4 :Int64;  # what was left of the request's deadline
  traceLow @5 :UInt64;
}
struct CrashRequest {
  message @0 :Text;
}
struct CrashResponse {}
struct BlockRequest {
  milliseconds @0 :UInt32;  # 0: for ever
}
struct BlockResponse {}
struct KeepRequest {}
struct KeepResponse {}
struct CountRequest {}
struct CountedRequest {}
struct CountedResponse {
  count @0 :UInt64;
}
struct ForwardRequest {
  to @0 :Text;
  text @1 :Text;
  timeoutMs @2 :UInt32;
}
struct ForwardResponse {
  echo @0 :EchoResponse;
}
