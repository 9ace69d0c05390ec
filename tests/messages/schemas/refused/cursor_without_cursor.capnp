# refused: Bad.watch: is a $cursor method, so A needs `cursor :UInt64`
@0xe95fae7d312d46e6;
using import "/messages/annotations.capnp".name;
using import "/messages/annotations.capnp".oneway;
using import "/messages/annotations.capnp".idempotent;
using import "/messages/annotations.capnp".cursor;

interface Bad { watch @0 A -> B $cursor; }
struct A { cursor @0 :UInt32; max @1 :UInt32; }
struct B { next @0 :UInt64; missed @1 :UInt64; }
