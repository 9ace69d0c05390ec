# refused: Bad.second: takes A as `first` does
@0x9272433dfbf0e282;
using import "/messages/annotations.capnp".name;
using import "/messages/annotations.capnp".oneway;
using import "/messages/annotations.capnp".idempotent;
using import "/messages/annotations.capnp".cursor;

interface Bad {
  first @0 A -> B;
  second @1 A -> B;
}
struct A {}
struct B {}
