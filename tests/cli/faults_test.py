"""What a node does when its components fail, seen from outside."""

import json
import signal

import harness
from harness import (BOOT_FAILED, ESCALATED, FAILED, NO_NODE, OK, STOP_TIMED_OUT, WORKERS_LOST)

PROBE = "/test/probe"
OTHER = "/test/other"
QUICK_HEALTH = ("--set", "health.interval_ms=20", "--set", "health.stuck_after_ms=200")


class FaultsTest(harness.CommandTest):
    def crash(self, message="boom", name=PROBE):
        return self.probed("send", name, "crash", f'{{"message": "{message}"}}')

    def echo(self, name=PROBE):
        return self.probed("send", name, "echo", '{"text": "hello"}')

    def answers(self, name=PROBE):
        return self.until(f"{name} answers", lambda: self.echo(name).code == OK)

    def block(self, name=PROBE):
        """Gets a thread stuck; the command that did it, which is patient."""
        return self.process("send", name, "block", "--timeout", "600", binary=harness.PROBED)

    def waits(self, name=PROBE):
        """A command whose request waits behind others."""
        return self.process("send", name, "crash", "--timeout", "600", binary=harness.PROBED)

    # ---- the command itself ---------------------------------------------------------------------

    def test_only_the_command_of_the_tests_has_probes(self):
        self.env["PROBES"] = '[{"name": "/test/probe", "constructor": "throw"}]'
        self.node()
        self.assertIsNone(self.component(PROBE))
        with open(harness.SYMPHONY, "rb") as binary, open(harness.PROBED, "rb") as probed:
            mark = b"the probe was told to fail"
            self.assertNotIn(mark, binary.read())
            self.assertIn(mark, probed.read())

    # ---- starting -------------------------------------------------------------------------------

    def assert_boot_fails(self, result, *words):
        self.assertEqual(result.code, BOOT_FAILED, result)
        said = [line for line in result.err.splitlines() if line.startswith("symphony: ")]
        self.assertEqual(len(said), 1, result)
        self.assert_mentions(said[0], "/system/application", PROBE, *words)
        self.assertEqual(result.out, "")
        self.assertFalse(self.socket_path().exists())
        self.assertEqual(self.command("ps").code, NO_NODE)
        self.node()  # its name and its data are free again

    def test_a_component_that_fails_to_prepare_rolls_everything_back(self):
        result = self.failing_node(probes=[{"name": OTHER},
                                           {"name": PROBE, "prepare": "fail", "needs": [OTHER]}])
        self.assert_boot_fails(result, "the probe's prepare fails")

    def test_a_component_that_fails_to_start_rolls_everything_back(self):
        result = self.failing_node(probes=[{"name": PROBE, "start": "fail"}])
        self.assert_boot_fails(result, "the probe's start fails")

    def test_a_component_that_cannot_be_made_rolls_everything_back(self):
        result = self.failing_node(probes=[{"name": PROBE, "constructor": "throw"}])
        self.assert_boot_fails(result, "the probe was told to fail")

    def test_a_component_that_hangs_in_start_is_given_up_at_its_deadline(self):
        result = self.failing_node("--set", "boot.start_timeout_ms=200",
                                   probes=[{"name": PROBE, "start": "hang"}])
        self.assert_boot_fails(result, "200 ms")

    # ---- running --------------------------------------------------------------------------------

    def test_a_handler_that_throws_is_told_to_its_asker_and_costs_one_restart(self):
        self.node(probes=[{"name": PROBE}])
        answer = self.crash("out of cheese")
        self.assertEqual(answer.code, FAILED, answer)
        self.assert_mentions(answer.err, PROBE, "out of cheese")
        self.answers()
        stats = self.component(PROBE)["stats"]
        self.assertEqual((stats["restarts"], stats["failed"]), (1, 1))
        position = self.position(PROBE)
        self.assertEqual(position["restarts"], 1)
        self.assertIn("out of cheese", position["lastExit"])
        self.assertIn("out of cheese", self.ok("tree").out)
        self.assertEqual(self.ok("health").code, OK)

    def test_components_that_die_too_often_end_the_process(self):
        node = self.node("--set", "supervision.intensity=1", "--set",
                         "supervision.period_ms=3600000", "--set",
                         "supervision.backoff_initial_ms=1", probes=[{"name": PROBE}])

        def gives_up():
            # Whether anybody answers says nothing: between two lives of its supervisor /control is
            # away, and so is the socket.
            self.crash("again")
            return not node.alive()

        self.until("the node gives up", gives_up)
        self.assertEqual(node.wait(), ESCALATED, node.err())
        self.assert_mentions(node.err(), PROBE, "again")
        self.assertFalse(self.socket_path().exists())

    def test_one_death_is_too_many_where_none_is_tolerated(self):
        node = self.node("--set", "supervision.intensity=0", probes=[{"name": PROBE}])
        self.crash("only once")
        self.assertEqual(node.wait(), ESCALATED, node.err())
        self.assert_mentions(node.err(), PROBE, "only once")

    # ---- stuck ----------------------------------------------------------------------------------

    def test_a_stuck_handler_is_fenced_and_replaced(self):
        self.node(*QUICK_HEALTH, "--set", "scheduler.threads=4", probes=[{"name": PROBE}])
        asker = self.block()
        self.until("it is replaced",
                   lambda: self.position(PROBE)["incarnation"] == 2)
        self.assertEqual(asker.wait(), FAILED, asker.err())
        self.assertEqual(asker.err(), f"symphony: {PROBE} got stuck and was given up\n")
        self.answers()
        self.until("the node is healthy", lambda: self.command("health").code == OK)
        self.assertEqual(self.component(PROBE)["stats"]["restarts"], 1)
        self.assertEqual(self.ok("health", "--json").json()["replacedTotal"], 1)

    def test_what_waits_for_a_stuck_handler_fails_when_it_is_given_up(self):
        self.node("--set", "scheduler.threads=4", "--set", "health.stuck_after_ms=600000",
                  probes=[{"name": PROBE}])
        askers = [self.block()]
        self.until("a handler runs", lambda: self.component(PROBE).get("busyNs"))
        askers += [self.waits() for _ in range(3)]
        self.until("the others wait", lambda: self.component(PROBE)["stats"]["depth"] == 3)
        self.ok("send", "/system/application", "replace",
                json.dumps({"child": PROBE, "incarnation": 1, "reason": "for a test"}))
        for asker in askers:
            self.assertEqual(asker.wait(), FAILED, asker.err())
            self.assertEqual(asker.err(), f"symphony: {PROBE} got stuck and was given up\n")
        self.answers()

    def test_a_stop_does_not_wait_for_a_thread_that_was_given_up(self):
        node = self.node(*QUICK_HEALTH, "--set", "scheduler.threads=4",
                         "--set", "boot.drain_ms=600000", "--set", "boot.stop_timeout_ms=600000",
                         probes=[{"name": PROBE}])
        self.block()
        self.until("it is replaced",
                   lambda: self.position(PROBE)["incarnation"] == 2)
        self.answers()
        node.signal(signal.SIGTERM)
        self.assert_stops_cleanly(node)
        last = json.loads(node.err().splitlines()[-1])
        self.assertEqual((last["level"], last["fields"]["components"]), ("warn", PROBE), last)
        self.node()  # its data is whole and free again

    def test_a_stop_leaves_a_thread_that_gets_stuck_while_it_stops_at_the_deadline(self):
        node = self.node("--set", "scheduler.threads=4", "--set", "boot.drain_ms=500",
                         "--set", "boot.stop_timeout_ms=500", probes=[{"name": PROBE}])
        self.block()
        self.until("a handler runs", lambda: self.component(PROBE).get("busyNs"))
        node.signal(signal.SIGTERM)
        self.assertEqual(node.wait(), STOP_TIMED_OUT, node.err())
        self.assert_mentions(node.err(), PROBE)
        self.assertFalse(self.socket_path().exists())

    def test_a_node_that_lost_its_threads_ends(self):
        names = [f"/test/p{i}" for i in range(4)]
        node = self.node(*QUICK_HEALTH, "--set", "scheduler.threads=4",
                         probes=[{"name": name} for name in names])
        for name in names:
            self.block(name)
        self.assertEqual(node.wait(), WORKERS_LOST, node.err())
        self.assert_mentions(node.err(), "/test/p")
        self.node()

    # ---- stopping -------------------------------------------------------------------------------

    def test_a_component_that_hangs_in_stop_is_left_behind_at_the_deadline(self):
        node = self.node("--set", "boot.stop_timeout_ms=300", "--set", "boot.drain_ms=300",
                         probes=[{"name": PROBE, "stop": "hang"}])
        node.signal(signal.SIGTERM)
        self.assertEqual(node.wait(5), STOP_TIMED_OUT, node.err())
        self.assert_mentions(node.err(), PROBE)
        self.node()

    def test_a_second_signal_ends_it_at_once(self):
        with self.service_manager() as (manager, env):
            node = self.node("--set", "boot.stop_timeout_ms=600000", "--set",
                             "boot.drain_ms=600000", probes=[{"name": PROBE, "stop": "hang"}],
                             env=env)
            node.signal(signal.SIGINT)
            while "STOPPING=1" not in manager.recv(4096).decode().splitlines():
                pass
            node.signal(signal.SIGINT)
            self.assertEqual(node.wait(5), STOP_TIMED_OUT, node.err())
        self.assert_mentions(node.err(), "second signal")
        self.assertFalse(self.socket_path().exists())


if __name__ == "__main__":
    harness.main()
