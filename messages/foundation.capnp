@0xe6a10b7d94c35f21;
# What every node stands on: settings, log, telemetry.
using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("symphony::messages");
using import "annotations.capnp".name;
using import "annotations.capnp".idempotent;
using import "annotations.capnp".cursor;
using import "component.capnp".ComponentStats;
using import "component.capnp".ComponentState;

interface Settings $name("/foundation/settings") {
  # The node's settings with the origin of each value.
  show @0 ShowSettingsRequest -> ShowSettingsResponse $idempotent;
}

struct ShowSettingsRequest {
  prefix @0 :Text;  # "log": only this section; empty: all
}
struct ShowSettingsResponse {
  settings @0 :List(Setting);
}
struct Setting {
  key @0 :Text;     # "log.level"
  value @1 :Text;   # as JSON
  origin @2 :Text;  # "default", "node.toml:12", "SYMPHONY_LOG_LEVEL", "--set"
}

interface LogView $name("/foundation/log") {
  # The node's log: what it says now, and how much it says.
  next @0 NextLogRequest -> NextLogResponse $cursor;
  # Records after the cursor; waits for one when there is none, until the deadline.
  setLevel @1 SetLogLevelRequest -> SetLogLevelResponse $idempotent;
}

enum LogLevel {
  trace @0;
  debug @1;
  info @2;
  warn @3;
  error @4;
  off @5;
}

struct NextLogRequest {
  cursor @0 :UInt64;        # 0: from the oldest record still held
  max @1 :UInt32;
  component @2 :Text;       # only this one and those below it; empty: all
  level @3 :LogLevel;       # this level and above
  tail @4 :UInt32;          # with cursor 0: only this many of the latest that match; 0: all
}
struct NextLogResponse {
  next @0 :UInt64;          # the cursor for what follows
  missed @1 :UInt64;        # records that were overwritten before they were read
  records @2 :List(LogRecord);
}
struct LogRecord {
  timeNs @0 :Int64;         # Unix time
  level @1 :LogLevel;
  component @2 :Text;
  message @3 :Text;
  traceHigh @4 :UInt64;
  traceLow @5 :UInt64;
  span @6 :UInt64;
  fields @7 :List(LogField);
}
struct LogField {
  key @0 :Text;
  value @1 :Text;
}

struct SetLogLevelRequest {
  component @0 :Text;       # this one and those below it; empty: all
  level @1 :LogLevel;
}
struct SetLogLevelResponse {}

interface Telemetry $name("/foundation/telemetry") {
  # What the runtime counts, of every component.
  list @0 ListComponentsRequest -> ListComponentsResponse $idempotent;
  deadLetters @1 DeadLettersRequest -> DeadLettersResponse $idempotent;
}

struct ListComponentsRequest {
  after @0 :Text;           # only names behind this one, in the order of names; empty: from the first
  max @1 :UInt32;           # rows at most; 0: as many as one answer may hold
}
struct ListComponentsResponse {
  components @0 :List(ComponentRow);  # in the order of names
  node @1 :NodeInfo;
  more @2 :Bool;            # ask again with `after` the last name
}
struct ComponentRow {
  name @0 :Text;
  living @1 :Bool;          # an incarnation answers to the name now
  stateLine @2 :Text;
  busyNs @3 :UInt64;        # how long the present handler has run; 0: idle
  stats @4 :ComponentStats;
}
struct NodeInfo {
  name @0 :Text;
  version @1 :Text;
  pid @2 :UInt32;
  startedNs @3 :Int64;      # Unix time
  residentBytes @4 :UInt64;
  cpuNs @5 :UInt64;         # user and system time used
  threads @6 :UInt32;
  deadLetters @7 :UInt64;
}

struct DeadLettersRequest {}
struct DeadLettersResponse {
  count @0 :UInt64;
  samples @1 :List(DeadLetter);  # the latest, oldest first
}
struct DeadLetter {
  target @0 :Text;
  method @1 :Text;          # "Dag.create"
  reason @2 :Text;
}
