# refused: Bad.watch: is a $cursor method, so B needs `missed :UInt64`
@0xef6d3d0a3e339de1;
using import "/messages/annotations.capnp".name;
using import "/messages/annotations.capnp".oneway;
using import "/messages/annotations.capnp".idempotent;
using import "/messages/annotations.capnp".cursor;

interface Bad { watch @0 A -> B $cursor; }
struct A { cursor @0 :UInt64; max @1 :UInt32; }
struct B { next @0 :UInt64; }
