# refused: Bad.ask: `-> stream` is not used here
@0xdca83e717b1f64eb;
using import "/messages/annotations.capnp".name;
using import "/messages/annotations.capnp".oneway;
using import "/messages/annotations.capnp".idempotent;
using import "/messages/annotations.capnp".cursor;

interface Bad { ask @0 A -> stream; }
struct A {}
struct B {}
