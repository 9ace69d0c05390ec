"""The node's socket, and what may come through it."""

import concurrent.futures
import contextlib
import os
import resource
import select
import signal
import time

import harness
from harness import OK


class DoorTest(harness.CommandTest):
    def closed(self, peer, within_s=harness.PATIENCE_S):
        """Reads what the node still says until it hangs up."""
        deadline = time.monotonic() + within_s
        while True:
            if not select.select([peer], [], [], max(deadline - time.monotonic(), 0))[0]:
                return False
            try:
                if not peer.recv(1 << 16):
                    return True
            except ConnectionError:
                return True

    def peers(self):
        return self.ok("send", "/control", "peers", "--json").json().get("peers", [])

    def test_whoever_says_nothing_is_shown_out(self):
        self.node("--set", "link.handshake_timeout_ms=100")
        with self.connection() as peer:
            self.assertTrue(self.closed(peer))
        self.ok("tree")

    def test_garbage_is_shown_out(self):
        self.node()
        for garbage in (b"GET / HTTP/1.1\r\n\r\n", b"\xff" * 4096, b"\0" * 4096,
                        os.urandom(1 << 16)):
            with self.connection() as peer:
                try:
                    peer.sendall(garbage)
                except ConnectionError:
                    pass  # it did not hear us out
                self.assertTrue(self.closed(peer), garbage[:20])
        self.ok("tree")

    def test_half_a_greeting_is_no_greeting(self):
        self.node("--set", "link.handshake_timeout_ms=100")
        with self.connection() as peer:
            peer.sendall(b"\x10")
            self.assertTrue(self.closed(peer))

    def test_only_so_many_come_in_and_the_next_is_told_why(self):
        self.node("--set", "link.max_peers=4")
        followers = [self.process("log", "-f") for _ in range(4)]
        for follower in followers:
            follower.line_with("ready")
        result = self.command("tree")
        self.assertNotEqual(result.code, OK)
        self.assert_mentions(result.err, "4", "link.max_peers")
        followers[0].signal(signal.SIGKILL)
        followers[0].wait()
        self.until("there is room again", lambda: self.command("tree").code == OK)

    def test_a_node_without_descriptors_lets_clients_in_once_it_has_some(self):
        node = self.node("--set", "link.handshake_timeout_ms=60000")
        used = len(os.listdir(f"/proc/{node.pid}/fd"))
        _, most = resource.prlimit(node.pid, resource.RLIMIT_NOFILE)
        for more in (8, 9):  # of the two that a peer takes, the first or the second is missing
            resource.prlimit(node.pid, resource.RLIMIT_NOFILE, (used + more, most))
            with contextlib.ExitStack() as peers:
                for _ in range(20):
                    peers.enter_context(self.connection())
                self.until("the node says so", lambda: "ulimit -n" in node.err())
            self.ok("tree")

    def test_two_hundred_clients_at_once(self):
        node = self.node()
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            results = list(pool.map(lambda _: self.command("health", "--json"), range(200)))
        self.assertEqual([r for r in results if r.code != OK], [])
        self.assertEqual(len(self.peers()), 1)
        node.signal(signal.SIGTERM)
        self.assert_stops_cleanly(node)

    def test_two_hundred_connections_are_held_and_let_go(self):
        node = self.node("--set", "link.handshake_timeout_ms=60000")
        before = self.resources(node)
        peers = []
        for _ in range(200):
            peers.append(self.enterContext(self.connection()))
        self.ok("tree")
        for peer in peers:
            peer.close()
        self.until("threads and descriptors are back to what they were",
                   lambda: self.ok("tree") and self.resources(node) <= before)

    def resources(self, node):
        return (int(node.status("Threads")), len(os.listdir(f"/proc/{node.pid}/fd")))

    def test_clients_leave_nothing_behind(self):
        node = self.node()
        self.ok("tree")
        before = self.resources(node)
        for _ in range(20):
            self.ok("tree")
        self.until("nothing of them is left", lambda: self.resources(node) <= before)


if __name__ == "__main__":
    harness.main()
