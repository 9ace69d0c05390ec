@0x8f2b6d04e1c7a935;
# Running melodies.
using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("symphony::messages");
using import "annotations.capnp".name;
using import "annotations.capnp".idempotent;
using import "annotations.capnp".cursor;
using import "error.capnp".Error;
using import "dag.capnp".RunProgress;
using import "dag.capnp".RunStatus;
using import "dag.capnp".NodeStatus;

interface Engine $name("/orchestration/engine") {
  # Runs melodies: what is ready is granted resources, executed, stored and reported.
  run @0 StartRunRequest -> StartRunResponse;
  resume @1 ResumeRunRequest -> StartRunResponse;
  cancelRun @2 StopRunRequest -> StopRunResponse $idempotent;
  # Nothing new starts and what runs is told to stop; answered when nothing runs any more.
  progress @3 RunProgressRequest -> RunProgressResponse $idempotent;
  # Where a run is, melody node by melody node: for a display.
  events @4 RunEventsRequest -> RunEventsResponse $cursor;
  # What happened in a run since the cursor; waits for something when there is nothing.
  attach @5 AttachRequest -> AttachResponse;
  # Held open by a client for as long as it is there, and never answered: runs that it starts or
  # resumes as `attached` are cancelled when it is gone.
  underWay @6 UnderWayRequest -> UnderWayResponse $idempotent;
  # How many runs there is work for.
  feed @7 RunFeedRequest -> RunFeedResponse $cursor;
  # Runs as they begin and end since the cursor; waits for something when there is nothing.
}

struct Problem {
  file @0 :Text;
  line @1 :UInt32;            # from 1; 0: not known
  column @2 :UInt32;
  key @3 :Text;               # "nodes.scan.with.root"
  message @4 :Text;
  text @5 :Text;              # all of it as one line for a person
}

struct InputValue {
  name @0 :Text;
  value @1 :Text;             # as it was typed
}

struct StartRunRequest {
  text @0 :Text;              # the melody
  file @1 :Text;              # absolute path it was read from; for messages and ${melody.dir}
  inputs @2 :List(InputValue);
  directory @3 :Text;         # absolute; relative paths among the inputs start here
  weight @4 :UInt32;          # share against other runs; 0: 1
  environment @5 :List(EnvironmentVariable);
  # What programs may see of the caller's; absent: the node's own. Never journalled.
  attached @6 :Bool;          # ends with the client, which holds an `attach`
}
struct EnvironmentVariable {
  name @0 :Text;
  value @1 :Text;             # bytes that are not UTF-8 are escaped, as in paths
}
struct StartRunResponse {
  run @0 :Text;               # empty when there are problems
  problems @1 :List(Problem);
  melody @2 :Text;
  alreadyEnded @3 :Bool;      # resume: there was nothing left to do
}
struct ResumeRunRequest {
  run @0 :Text;               # id, or its unique beginning
  again @1 :Bool;             # also what failed; what was cancelled is taken up in any case
  environment @2 :List(EnvironmentVariable);  # as of StartRunRequest
  attached @3 :Bool;          # ends with the client, which holds an `attach`
}

struct AttachRequest {}
struct AttachResponse {}

struct UnderWayRequest {}
struct UnderWayResponse {
  runs @0 :UInt32;            # those that are being started or taken up included
}

struct RunFeedRequest {
  cursor @0 :UInt64;          # 0: from the first that is still held
  max @1 :UInt32;
}
struct RunFeedResponse {
  next @0 :UInt64;
  missed @1 :UInt64;
  changes @2 :List(RunChange);
}
struct RunChange {
  sequence @0 :UInt64;
  timeNs @1 :Int64;           # Unix time
  run @2 :Text;
  melody @3 :Text;
  status @4 :RunStatus;       # running: it began, or was taken up; else how it ended
}

struct StopRunRequest {
  run @0 :Text;
  hurry @1 :Bool;             # programs are killed at once, not asked to end first
}
struct StopRunResponse {
  status @0 :RunStatus;
}

struct RunProgressRequest {
  run @0 :Text;
}
struct MelodyNodeProgress {
  name @0 :Text;
  operator @1 :Text;
  status @2 :NodeStatus;
  mapped @3 :Bool;
  total @4 :UInt32;           # of a mapped node's children, once known; else 1
  done @5 :UInt32;
  failed @6 :UInt32;
  running @7 :UInt32;
  elapsedUs @8 :UInt64;       # since its first start
  fraction @9 :Float64;       # what a running operator reports of itself, 0 to 1
  critical @10 :Bool;
  error @11 :Text;            # the first one
}
struct RunProgressResponse {
  status @0 :RunStatus;
  ended @1 :Bool;
  progress @2 :RunProgress;
  nodes @3 :List(MelodyNodeProgress);
  elapsedUs @4 :UInt64;
  summary @5 :RunSummary;     # once it has ended
}

struct RunSummary {
  status @0 :RunStatus;
  outputsJson @1 :Text;       # an object: the melody's outputs
  elapsedUs @2 :UInt64;       # of this sitting
  artifacts @3 :UInt64;       # stored by the run in this sitting
  artifactBytes @4 :UInt64;
  criticalPath @5 :List(Text);
  criticalPathUs @6 :UInt64;
  failures @7 :List(NodeFailure);
  executed @8 :UInt32;        # nodes that ran in this sitting
}
struct NodeFailure {
  node @0 :Text;
  error @1 :Error;
}

enum RunEventKind {
  started @0;                 # of the run
  nodeStarted @1;
  nodeDone @2;
  nodeFailed @3;
  nodeRetrying @4;
  nodeSkipped @5;
  nodeExpanded @6;
  nodeCancelled @7;
  ended @8;                   # of the run; the last
}
struct RunEvent {
  sequence @0 :UInt64;
  timeNs @1 :Int64;           # Unix time
  kind @2 :RunEventKind;
  node @3 :Text;              # "scan", a child "scan[17]"
  durationUs @4 :UInt64;
  children @5 :UInt32;
  error @6 :Error;
  status @7 :RunStatus;       # of `ended`
}
struct RunEventsRequest {
  run @0 :Text;
  cursor @1 :UInt64;          # 0: from the first that is still held
  max @2 :UInt32;
}
struct RunEventsResponse {
  next @0 :UInt64;
  missed @1 :UInt64;
  events @2 :List(RunEvent);
  ended @3 :Bool;             # nothing will follow `next`
}

interface Melodies $name("/orchestration/melodies") {
  # Melodies as such: checking them, and what they can be made of.
  check @0 CheckMelodyRequest -> CheckMelodyResponse $idempotent;
  operators @1 ListOperatorsRequest -> ListOperatorsResponse $idempotent;
}
struct CheckMelodyRequest {
  text @0 :Text;
  file @1 :Text;
}
struct CheckMelodyResponse {
  name @0 :Text;
  nodes @1 :UInt32;
  problems @2 :List(Problem);
  warnings @3 :List(Problem);
}
struct ListOperatorsRequest {
  name @0 :Text;              # only this one; empty: all
}
struct ListOperatorsResponse {
  operatorsJson @0 :Text;     # a list of their descriptions
}
