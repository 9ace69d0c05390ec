# refused: Bad.watch: is a $cursor method, so B needs `next :UInt64`
@0xe332601d88d94846;
using import "/messages/annotations.capnp".name;
using import "/messages/annotations.capnp".oneway;
using import "/messages/annotations.capnp".idempotent;
using import "/messages/annotations.capnp".cursor;

interface Bad { watch @0 A -> B $cursor; }
struct A { cursor @0 :UInt64; max @1 :UInt32; }
struct B { missed @0 :UInt64; }
