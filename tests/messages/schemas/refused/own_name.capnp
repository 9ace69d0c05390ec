# refused: Bad.bad: has the name of its interface
@0x9ba27236197d3fac;
using import "/messages/annotations.capnp".name;
using import "/messages/annotations.capnp".oneway;
using import "/messages/annotations.capnp".idempotent;
using import "/messages/annotations.capnp".cursor;

interface Bad { bad @0 A -> B; }
struct A {}
struct B {}
