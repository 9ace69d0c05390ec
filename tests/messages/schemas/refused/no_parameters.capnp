# refused: Bad.ask: takes a list of parameters
@0xb4a8c010f04736fb;
using import "/messages/annotations.capnp".name;
using import "/messages/annotations.capnp".oneway;
using import "/messages/annotations.capnp".idempotent;
using import "/messages/annotations.capnp".cursor;

interface Bad { ask @0 () -> B; }
struct A {}
struct B {}
