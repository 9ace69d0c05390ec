# refused: Bad.note: is $oneway; $cursor and $idempotent are for methods with an answer
@0xcde4cdfea88ca041;
using import "/messages/annotations.capnp".name;
using import "/messages/annotations.capnp".oneway;
using import "/messages/annotations.capnp".idempotent;
using import "/messages/annotations.capnp".cursor;

interface Bad { note @0 A $oneway $idempotent; }
struct A {}
struct B {}
