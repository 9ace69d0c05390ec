# refused: Bad: a protocol extends nothing
@0x8e7ce76b88cc45a2;
using import "/messages/annotations.capnp".name;
using import "/messages/annotations.capnp".oneway;
using import "/messages/annotations.capnp".idempotent;
using import "/messages/annotations.capnp".cursor;

interface Bad extends(Good) { ask @0 A -> B; }
interface Good {}
struct A {}
struct B {}
