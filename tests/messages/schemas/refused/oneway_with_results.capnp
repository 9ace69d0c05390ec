# refused: Bad.note: is $oneway, so nothing comes back
@0xc097ca26b24b5ca8;
using import "/messages/annotations.capnp".name;
using import "/messages/annotations.capnp".oneway;
using import "/messages/annotations.capnp".idempotent;
using import "/messages/annotations.capnp".cursor;

interface Bad { note @0 A -> B $oneway; }
struct A {}
struct B {}
