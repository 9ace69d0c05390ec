# refused: Worse: its $name("/x") is taken by
@0xdbfb9d667787695b;
using import "/messages/annotations.capnp".name;
using import "/messages/annotations.capnp".oneway;
using import "/messages/annotations.capnp".idempotent;
using import "/messages/annotations.capnp".cursor;

interface Bad $name("/x") {}
interface Worse $name("/x") {}
