# refused: Outer.Bad: an interface must stand at the top of its file
@0xf7198991fada8b30;
using import "/messages/annotations.capnp".name;
using import "/messages/annotations.capnp".oneway;
using import "/messages/annotations.capnp".idempotent;
using import "/messages/annotations.capnp".cursor;

struct Outer { interface Bad {} }
