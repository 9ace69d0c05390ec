@0xbbef463205799324;
# What programs print that run for nodes, kept with the run.
using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("symphony::messages");
using import "annotations.capnp".name;
using import "annotations.capnp".idempotent;
using import "annotations.capnp".cursor;

interface NodeOutput $name("/pit/output") {
  append @0 AppendOutputRequest -> AppendOutputResponse;
  # Takes what a node printed. On disk soon after; what is the last of an attempt before anything
  # that is journalled once this was answered.
  read @1 ReadOutputRequest -> ReadOutputResponse $cursor;
  # Pieces after the cursor, in the order in which they came.
  erase @2 EraseOutputRequest -> EraseOutputResponse $idempotent;
  # Forgets what a run printed.
}

enum PrintedOn {
  out @0;
  err @1;
}

struct AppendOutputRequest {
  run @0 :Text;
  node @1 :Text;              # "scan", a child "scan[17]"
  startedNs @2 :Int64;        # Unix time; tells one attempt from another
  stream @3 :PrintedOn;
  offset @4 :UInt64;          # how much this attempt printed there before
  data @5 :Data;
  last @6 :Bool;              # nothing follows of this attempt
}
struct AppendOutputResponse {}

struct ReadOutputRequest {
  run @0 :Text;
  cursor @1 :UInt64;          # 0: from the first that is kept
  max @2 :UInt32;             # 0: a sane default
  node @3 :Text;              # only this one, or a mapped node's children; empty: all
  wait @4 :Bool;              # for something when there is nothing, until the deadline
}
struct ReadOutputResponse {
  next @0 :UInt64;
  missed @1 :UInt64;          # always 0: a gap shows in the offsets of a node's pieces
  pieces @2 :List(OutputPiece);
  more @3 :Bool;              # there is something after `next` already
}
struct OutputPiece {
  sequence @0 :UInt64;
  timeNs @1 :Int64;           # Unix time at which its first byte came
  node @2 :Text;
  startedNs @3 :Int64;
  stream @4 :PrintedOn;
  offset @5 :UInt64;          # more than what was seen of the attempt's stream: the rest was cut
  data @6 :Data;
}

struct EraseOutputRequest {
  run @0 :Text;
}
struct EraseOutputResponse {
  pieces @0 :UInt64;          # that were forgotten
}
