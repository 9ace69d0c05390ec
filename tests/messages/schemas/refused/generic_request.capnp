# refused: Bad.ask: the request struct cannot have type parameters
@0xcf00944bd476490d;
using import "/messages/annotations.capnp".name;
using import "/messages/annotations.capnp".oneway;
using import "/messages/annotations.capnp".idempotent;
using import "/messages/annotations.capnp".cursor;

interface Bad { ask @0 A(Text) -> B; }
struct A(T) { value @0 :T; }
struct B {}
