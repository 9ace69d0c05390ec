@0xe1a5c3f2907b6d41;
# What the generator makes of one protocol with a method of each kind.
using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("symphony::garden");
using import "/messages/annotations.capnp".name;
using import "/messages/annotations.capnp".oneway;
using import "/messages/annotations.capnp".idempotent;
using import "/messages/annotations.capnp".cursor;
using import "/messages/annotations.capnp".urgent;

interface Garden $name("/test/garden") {
  # A bed of "flowers", and a backslash \
  plantSeed @0 PlantSeedRequest -> PlantSeedResponse;
  # Puts one into the ground.
  count @1 CountRequest -> CountResponse $idempotent $urgent;
  watch @2 WatchRequest -> WatchResponse $cursor;
  rain @3 RainNotice $oneway;
  hail @4 HailNotice -> () $oneway;
  cancel @5 CancelRequest -> CancelResponse;
}

interface Desert {
  # Nothing to ask for.
}

enum Colour { red @0; blue @1; }

struct Seed {
  kind @0 :Text;        # of flower
  colour @1 :Colour = blue;
  depth :union {
    millimetres @2 :UInt16;
    surface @3 :Void;
  }
  struct Label { text @0 :Text; }
  label @4 :Label;
}

struct PlantSeedRequest { seeds @0 :List(Seed); soft @1 :Bool = true; }
struct PlantSeedResponse {}
struct CountRequest {}
struct CountResponse { count @0 :UInt64; }
struct WatchRequest { cursor @0 :UInt64; max @1 :UInt32; }
struct WatchResponse { next @0 :UInt64; missed @1 :UInt64; seeds @2 :List(Seed); }
struct Defaults {
  single @0 :Float32 = 0.1;
  double @1 :Float64 = 0.1000000000000001;
  nothing @2 :Float64 = -0.0;
  text @3 :Text = "a \"b\"\n";
  data @4 :Data = 0x"00 ff";
  list @5 :List(UInt16) = [1, 2];
  label @6 :Seed.Label = (text = "rose");
  texts @7 :List(Text) = ["a", "b"];
}
struct RainNotice { millimetres @0 :Float64; }
struct HailNotice {}
struct CancelRequest {}
struct CancelResponse {}
