# refused: Bad.ask: has no results
@0xcc8650dec81e1928;
using import "/messages/annotations.capnp".name;
using import "/messages/annotations.capnp".oneway;
using import "/messages/annotations.capnp".idempotent;
using import "/messages/annotations.capnp".cursor;

interface Bad { ask @0 A; }
struct A {}
struct B {}
