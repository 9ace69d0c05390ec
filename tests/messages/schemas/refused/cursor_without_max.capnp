# refused: Bad.watch: is a $cursor method, so A needs `max :UInt32`
@0xf5443f61bb09fccf;
using import "/messages/annotations.capnp".name;
using import "/messages/annotations.capnp".oneway;
using import "/messages/annotations.capnp".idempotent;
using import "/messages/annotations.capnp".cursor;

interface Bad { watch @0 A -> B $cursor; }
struct A { cursor @0 :UInt64; }
struct B { next @0 :UInt64; missed @1 :UInt64; }
