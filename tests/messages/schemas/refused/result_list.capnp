# refused: Bad.ask: returns a list of results
@0x841274da70ae8f01;
using import "/messages/annotations.capnp".name;
using import "/messages/annotations.capnp".oneway;
using import "/messages/annotations.capnp".idempotent;
using import "/messages/annotations.capnp".cursor;

interface Bad { ask @0 A -> (b :Text); }
struct A {}
struct B {}
