# refused: Bad.ask: takes a list of parameters
@0xae7aab3d55fbd35d;
using import "/messages/annotations.capnp".name;
using import "/messages/annotations.capnp".oneway;
using import "/messages/annotations.capnp".idempotent;
using import "/messages/annotations.capnp".cursor;

interface Bad { ask @0 (a :Text) -> B; }
struct A {}
struct B {}
