@0xb52f3c1f0a6e4d11;
# How a request can fail. Every expected failure in Symphony is one of these codes.
using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("symphony::messages");

enum Errc {
  # The closed list of failure codes. Ordinals are part of the protocol: append, never renumber.
  internal @0;          # a bug: a handler threw, an invariant broke
  invalidArgument @1;   # the request is malformed; `field` names the culprit
  notFound @2;          # what the request names does not exist
  alreadyExists @3;     # what the request would create exists
  failedPrecondition @4;# the request is well-formed but not now, in this state
  unavailable @5;       # nobody is there to answer, or what was in flight was lost
  overloaded @6;        # a bounded queue is full; try again later
  deadlineExceeded @7;  # the answer did not come in time
  cancelled @8;         # the requester changed its mind
  permissionDenied @9;  # the requester may not do this
  resourceExhausted @10;# disk, memory or a configured limit is used up
  dataCorrupt @11;      # stored or received bytes fail their check
  unimplemented @12;    # the component has no such protocol or method
}

struct Error {
  # A failure as it travels.
  code @0 :Errc;
  message @1 :Text;     # one sentence for a person
  field @2 :Text;       # path of the offending field ("nodes[3].use"), empty when there is none
  retryable @3 :Bool;   # whether the same request may succeed later
}
