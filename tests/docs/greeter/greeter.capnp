@0xc60253e92a87209c;
using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("symphony::messages");
using import "/messages/annotations.capnp".name;

interface Greeter $name("/example/greeter") {
  # Greets people, and counts them.
  greet @0 GreetRequest -> GreetResponse;
}
struct GreetRequest {
  name @0 :Text;      # whom
}
struct GreetResponse {
  text @0 :Text;
  greeted @1 :UInt64; # how many this incarnation has greeted
}
