# refused: Bad.handlers: is a name that generated code uses itself
@0xfbc6afebb2faa9b1;
using import "/messages/annotations.capnp".name;
using import "/messages/annotations.capnp".oneway;
using import "/messages/annotations.capnp".idempotent;
using import "/messages/annotations.capnp".cursor;

interface Bad { handlers @0 A -> B; }
struct A {}
struct B {}
