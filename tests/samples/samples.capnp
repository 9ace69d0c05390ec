@0xb7d1e0c4a6f25938;
# One of everything a message can hold, for the tests of validation and JSON.
using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("symphony::samples");

enum Colour { red @0; green @1; darkBlue @2; }

struct Everything {
  nothing @0 :Void;
  flag @1 :Bool;
  tiny @2 :Int8 = -3;
  small @3 :Int16;
  medium @4 :Int32;
  large @5 :Int64;
  utiny @6 :UInt8;
  usmall @7 :UInt16 = 9;
  umedium @8 :UInt32;
  ularge @9 :UInt64;
  single @10 :Float32;
  double @11 :Float64 = 0.5;
  text @12 :Text;
  data @13 :Data;
  colour @14 :Colour = green;
  child @15 :Everything;
  flags @16 :List(Bool);
  numbers @17 :List(Int64);
  shorts @18 :List(UInt16);
  halves @19 :List(Float64);
  texts @20 :List(Text);
  blobs @21 :List(Data);
  colours @22 :List(Colour);
  children @23 :List(Everything);
  grid @24 :List(List(UInt32));
  voids @25 :List(Void);
  greeting @26 :Text = "hello";

  choice :union {
    none @27 :Void;
    number @28 :UInt32;
    label @29 :Text;
    point @30 :Point;
    points @31 :List(Point);
    shade @32 :Colour;
    pair :group { left @33 :Text; right @34 :Int64; }
  }
  place :group {
    street @35 :Text;
    house @36 :UInt16;
  }
}

struct Point { x @0 :Int32; y @1 :Int32; }

struct Either {
  # A union of its own, beside a plain field.
  before @0 :Text;
  union {
    one @1 :Text;
    two @2 :List(Either);
    three @3 :UInt64;
  }
}

struct Bag {
  any @0 :AnyPointer;
  peer @1 :Peer;
}
interface Peer {}
struct Empties { hollow @0 :List(Hollow); }
struct Hollow {}

struct NewEither {
  # Either as a later version might have it.
  before @0 :Text;
  union {
    one @1 :Text;
    two @2 :List(NewEither);
    three @3 :UInt64;
    four @4 :Text;
  }
  after @5 :Text;
}
