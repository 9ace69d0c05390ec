# refused: Bad.andEq: is a C++ keyword
@0x97cce0fca26cf560;
using import "/messages/annotations.capnp".name;
using import "/messages/annotations.capnp".oneway;
using import "/messages/annotations.capnp".idempotent;
using import "/messages/annotations.capnp".cursor;

interface Bad { andEq @0 A -> B; }
struct A {}
struct B {}
