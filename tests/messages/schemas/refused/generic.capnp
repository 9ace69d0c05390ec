# refused: Bad: a protocol cannot have type parameters
@0xba2e8954befdbd6e;
using import "/messages/annotations.capnp".name;
using import "/messages/annotations.capnp".oneway;
using import "/messages/annotations.capnp".idempotent;
using import "/messages/annotations.capnp".cursor;

interface Bad(T) { ask @0 A -> B; }
struct A {}
struct B {}
