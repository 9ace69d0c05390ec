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
}

struct ReplaceRequest {
  child @0 :Text;
  incarnation @1 :UInt64;
  reason @2 :Text;
}
struct ReplaceResponse {}
