@0xeb07c5913f4d628a;
# The node's door: who is connected, and how to end the node.
using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("symphony::messages");
using import "annotations.capnp".name;
using import "annotations.capnp".idempotent;

interface Control $name("/control") {
  # The control endpoint: a Unix socket through which commands and other clients talk to the node.
  peers @0 ListPeersRequest -> ListPeersResponse $idempotent;
  shutdown @1 ShutdownRequest -> ShutdownResponse $idempotent;
  # Ends the node in order, as SIGTERM does. Answered before it begins.
  makeWay @2 MakeWayRequest -> MakeWayResponse $idempotent;
  # A node that a command started ends as soon as its last client and its last run are gone,
  # without lingering; any other goes on.
}

struct ListPeersRequest {}
struct ListPeersResponse {
  endpoint @0 :Text;   # path of the socket
  peers @1 :List(PeerRow);
}
struct PeerRow {
  id @0 :UInt64;
  name @1 :Text;       # as it calls itself
  kind @2 :Text;       # client or node
  pid @3 :UInt32;
  uid @4 :UInt32;
}

struct ShutdownRequest {}
struct ShutdownResponse {}

struct MakeWayRequest {}
struct MakeWayResponse {
  ends @0 :Bool;       # whether it is a node that ends by itself
}
