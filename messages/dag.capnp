@0xc40de1f2b7a39586;
# The DAG tracker: what of a run is done, and what may start.
using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("symphony::messages");
using import "annotations.capnp".name;
using import "annotations.capnp".idempotent;
using import "error.capnp".Error;

interface Dag $name("/pit/dag") {
  # Runs are journalled: what `create`, `sync` and `end` acknowledge survives a crash.
  create @0 CreateRunRequest -> RunBatchResponse;
  # Files a new run and starts it.
  open @1 OpenRunRequest -> RunBatchResponse;
  # Takes up a run that is in the journal: what ran when its node died is ready again.
  complete @2 CompleteNodesRequest -> RunBatchResponse;
  # What became of nodes, many at a time and in order: a node may have become ready by what ended
  # before it in the same batch. Answered once it is applied; durable soon after (see
  # `sync`), and always in order: nothing later survives without it.
  sync @3 SyncRunRequest -> SyncRunResponse $idempotent;
  # Answered when everything that was applied to the run before is durable.
  cancelRun @4 CancelRunRequest -> CancelRunResponse $idempotent;
  results @5 NodeResultsRequest -> NodeResultsResponse $idempotent;
  # What nodes gave, page by page: for taking up a run and for showing it.
  list @6 ListRunsRequest -> ListRunsResponse $idempotent;
  show @7 ShowRunRequest -> ShowRunResponse $idempotent;
  erase @8 EraseRunRequest -> EraseRunResponse;
  # Forgets a run that is not under way, and what its nodes gave. Once it is answered, or the node
  # died meanwhile, nobody hears of the run any more.
}

enum NodeStatus {
  waiting @0;
  ready @1;
  running @2;
  done @3;
  failed @4;
  skipped @5;
  cancelled @6;
}

enum RunStatus {
  pending @0;
  running @1;
  succeeded @2;
  failed @3;
  cancelled @4;
}

struct PlanNode {
  name @0 :Text;
  weight @1 :Float64;         # estimated duration in microseconds; 0: not known
  mapped @2 :Bool;
  attempts @3 :UInt32;        # first try included
  backoffMs @4 :UInt32;
  maxBackoffMs @5 :UInt32;
}
struct PlanEdge {
  from @0 :UInt32;            # must end before `to` may start
  to @1 :UInt32;
}

struct RunHead {
  # What a run is of: its inputs, which make it repeatable.
  run @0 :Text;               # UUID, version 7
  melody @1 :Text;            # its name
  version @2 :Text;
  file @3 :Text;              # where it was read from
  text @4 :Text;              # the melody itself
  inputsJson @5 :Text;        # an object: every input with its value
  startedNs @6 :Int64;        # Unix time
  host @7 :Text;
  directory @8 :Text;         # working directory of who started it: where relative paths start
  weight @9 :UInt32;          # share against other runs; 0: 1
  attached @10 :Bool;         # ends with its client: no node that boots goes on with it
}

struct CreateRunRequest {
  head @0 :RunHead;
  nodes @1 :List(PlanNode);
  edges @2 :List(PlanEdge);
}

struct OpenRunRequest {
  run @0 :Text;
  again @1 :Bool;             # also what failed or was cancelled
}

enum Outcome {
  succeeded @0;
  failed @1;
  skipped @2;                 # its `when` was false
  expanded @3;                # a mapped node: its list is known
  cancelled @4;
}

struct NodeOutcome {
  node @0 :UInt32;
  outcome @1 :Outcome;
  children @2 :UInt32;        # of an expanded node
  resultJson @3 :Text;        # of a node that succeeded, when small
  resultDigest @4 :Text;      # else where it is stored
  error @5 :Error;            # of a node that failed
  startedNs @6 :Int64;        # Unix time
  durationUs @7 :UInt64;
  attempt @8 :UInt32;         # which one this is of, from 1; 0: the latest
}

struct CompleteNodesRequest {
  run @0 :Text;
  outcomes @1 :List(NodeOutcome);
  started @2 :List(UInt32);   # nodes handed to workers since the last batch and still with them:
                              # this holds after the outcomes, by which some may have become ready
}

struct Expansion {
  node @0 :UInt32;
  firstChild @1 :UInt32;
  children @2 :UInt32;
}

struct RunProgress {
  waiting @0 :UInt32;
  ready @1 :UInt32;
  running @2 :UInt32;
  done @3 :UInt32;
  failed @4 :UInt32;
  skipped @5 :UInt32;
  cancelled @6 :UInt32;
}

struct RunBatchResponse {
  ready @0 :List(UInt32);     # in the order in which they should start
  expansions @1 :List(Expansion);
  status @2 :RunStatus;
  ended @3 :Bool;
  progress @4 :RunProgress;
  retryAtNs @5 :Int64;        # Unix time of the next retry, for people; 0: none
  head @6 :RunHead;           # answer to `open` only
  resumptions @7 :UInt32;
  retryInNs @8 :Int64;        # from now to the next retry; -1: none. Ask `complete` again then.
  state @9 :Data;             # answer to `open` only: the state of the run (actors/run/snapshot.cpp)
  attempts @10 :List(UInt32); # of what is ready, in the same order: which attempt is to start
  dropped @11 :UInt32;        # outcomes of attempts that are not the latest: nothing was made of them
}

struct SyncRunRequest {
  run @0 :Text;
}
struct SyncRunResponse {}

struct CancelRunRequest {
  run @0 :Text;
  failure @1 :Text;           # why it cannot go on: then it has failed, and was not cancelled
}
struct CancelRunResponse {
  status @0 :RunStatus;
}

struct NodeResultsRequest {
  run @0 :Text;
  offset @1 :UInt32;          # of the first node
  max @2 :UInt32;
  brief @3 :Bool;             # without results
  failedOnly @4 :Bool;        # leaves out nodes that did not fail
}
struct NodeResultsResponse {
  nodes @0 :List(NodeRow);
  total @1 :UInt32;
}
struct NodeRow {
  node @0 :UInt32;
  name @1 :Text;              # "scan", a child "scan[17]"
  status @2 :NodeStatus;
  attempts @3 :UInt32;
  parent @4 :Int64;           # -1: none
  resultJson @5 :Text;
  resultDigest @6 :Text;
  error @7 :Error;
  startedNs @8 :Int64;
  durationUs @9 :UInt64;
  children @10 :UInt32;
  critical @11 :Bool;         # on the critical path, by the durations known so far
}

struct ListRunsRequest {
  max @0 :UInt32;             # 0: a sane default
  before @1 :Text;            # runs older than this one; empty: from the newest
  unfinished @2 :Bool;        # only those that have not ended
}
struct ListRunsResponse {
  runs @0 :List(RunRow);
}
struct RunRow {
  run @0 :Text;
  melody @1 :Text;
  version @2 :Text;
  status @3 :RunStatus;
  progress @4 :RunProgress;
  startedNs @5 :Int64;
  updatedNs @6 :Int64;
  resumptions @7 :UInt32;
  fruitlessResumptions @8 :UInt32;  # those since a node last ended
  failure @9 :Text;           # why the run as a whole has failed; empty: its nodes tell
}

struct ShowRunRequest {
  run @0 :Text;               # id, or its unique beginning
}
struct ShowRunResponse {
  row @0 :RunRow;
  head @1 :RunHead;
  criticalPath @2 :List(Text);
  criticalPathUs @3 :UInt64;
}

struct EraseRunRequest {
  run @0 :Text;               # its whole id
}
struct EraseRunResponse {}
