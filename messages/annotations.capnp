@0xd3c0f1a5b7e94210;
# What the protocol generator reads beside the interfaces themselves.
using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("symphony::messages");

annotation name @0xa2b1c3d4e5f60718 (interface) :Text;
# The registry name under which the component of this protocol is found ("/pit/dag").

annotation oneway @0xa2b1c3d4e5f60719 (method) :Void;
# Nothing comes back, not even an error: such a method has no results.

annotation idempotent @0xa2b1c3d4e5f6071a (method) :Void;
# Asking twice is as good as once: whoever got no answer may ask again.

annotation cursor @0xa2b1c3d4e5f6071b (method) :Void;
# A subscription: the request has `cursor` and `max`, the response `next` and `missed`.

annotation internal @0xa2b1c3d4e5f6071c (method) :Void;
# For the component's supervisor only: refused when it comes over a link.

annotation urgent @0xa2b1c3d4e5f6071d (method) :Void;
# Goes before what waits in the receiver's mailbox already, but for other urgent messages. For what
# keeps a component in hand: a matter of the process, not of the wire.
