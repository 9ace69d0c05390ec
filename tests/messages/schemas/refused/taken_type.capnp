# refused: ComponentState: another schema file has a type of this name
@0xd9fbe9564028d54b;
using import "/messages/annotations.capnp".name;
using import "/messages/annotations.capnp".oneway;
using import "/messages/annotations.capnp".idempotent;
using import "/messages/annotations.capnp".cursor;

struct ComponentState {}
