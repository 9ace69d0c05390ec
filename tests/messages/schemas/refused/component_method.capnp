# refused: Bad.health: every component already has
@0xbb3ef52f53f16a4c;
using import "/messages/annotations.capnp".name;
using import "/messages/annotations.capnp".oneway;
using import "/messages/annotations.capnp".idempotent;
using import "/messages/annotations.capnp".cursor;

interface Bad { health @0 A -> B; }
struct A {}
struct B {}
