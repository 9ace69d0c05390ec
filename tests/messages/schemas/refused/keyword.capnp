# refused: Bad.delete: is a C++ keyword
@0xd6d198dd68bbff3e;
using import "/messages/annotations.capnp".name;
using import "/messages/annotations.capnp".oneway;
using import "/messages/annotations.capnp".idempotent;
using import "/messages/annotations.capnp".cursor;

interface Bad { delete @0 A -> B; }
struct A {}
struct B {}
