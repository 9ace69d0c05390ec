@0x9c1f5a7702be3d48;
# Supervision, seen from outside: who stands where, and what happened to them.
using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("symphony::messages");
using import "annotations.capnp".idempotent;

interface Supervisor {
  # A component whose work is to keep others alive.
  tree @0 TreeRequest -> TreeResponse $idempotent;
  # Its children and, below those that are supervisors, theirs.
  replace @1 ReplaceRequest -> ReplaceResponse;
  # A child is stuck: fence that incarnation and start another.
  startChild @2 StartChildRequest -> StartChildResponse;
  # One more child, made from one of the supervisor's templates. Answered once it is ready; one that
  # fails before is no child, and the answer says why.
  removeChild @3 RemoveChildRequest -> RemoveChildResponse;
  # Stops a child that no sibling needs. Answered once it is down, and a child no more.
}

struct TreeRequest {}
struct TreeResponse {
  root @0 :TreeNode;
}

struct TreeNode {
  name @0 :Text;         # registry name
  kind @1 :Text;         # permanent, transient or temporary
  state @2 :Text;        # waiting, backing-off, preparing, starting, ready, stopping, finished
  incarnation @3 :UInt64;
  restarts @4 :UInt64;
  lastExit @5 :Text;     # why it last died; empty: it never did
  strategy @6 :Text;     # of a supervisor; empty for other components
  children @7 :List(TreeNode);
  unanswered @8 :Bool;   # a supervisor that did not say in time what is below it
}

struct ReplaceRequest {
  child @0 :Text;
  incarnation @1 :UInt64;
  reason @2 :Text;
}
struct ReplaceResponse {}

struct StartChildRequest {
  template @0 :Text;     # its name
  name @1 :Text;         # registry name of the child
  argument @2 :Data;     # what the template makes of it is its own affair
}
struct StartChildResponse {}

struct RemoveChildRequest {
  child @0 :Text;
}
struct RemoveChildResponse {}
