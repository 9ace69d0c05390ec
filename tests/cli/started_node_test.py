"""Nodes that commands start: one for all of them, there as long as it is needed, nobody's burden."""

import concurrent.futures
import json
import os
import pathlib
import signal
import time

import harness
from harness import BOOT_FAILED, CANCELLED, FAILED, NAME_TAKEN, OK, PROBED

PROBE = "/test/probe"

# `wait` ends when somebody opened the pipe for writing and closed it again.
WAITING = """
name = "waiting"
version = "1"
[nodes.wait]
use = "process.run"
with = { command = ["sh", "-c", "echo $$ > pid; touch started; cat pipe; echo over"] }
[outputs]
got = "${nodes.wait.stdout}"
"""


class StartedNodeTest(harness.CommandTest):
    def setUp(self):
        super().setUp()
        os.mkfifo(self.work / "pipe")
        self.path = self.melody(WAITING)

    def linger(self, seconds):
        self.env["SYMPHONY_NODE_LINGER_MS"] = str(int(seconds * 1000))

    def start_run(self, *arguments):
        """A run that waits; the process, and its id."""
        process = self.process("--json", "run", self.path, *arguments)
        run = json.loads(process.line_with('"accepted"'))["run"]
        self.until("the program runs", (self.work / "started").exists)
        return process, run

    def release(self):
        with open(self.work / "pipe", "w"):
            pass

    def status(self, run):
        [row] = [row for row in self.ok("--json", "runs").json_lines() if row["run"] == run]
        return row["status"]

    # ---- starting -------------------------------------------------------------------------------

    def test_many_commands_at_once_start_one(self):
        self.linger(60)
        files = [self.work / f"f{i}" for i in range(12)]
        for file in files:
            file.write_text(file.name)
        with concurrent.futures.ThreadPoolExecutor(len(files)) as pool:
            results = list(pool.map(
                lambda file: self.command("artifact", "put", file, "--name", "x"), files))
        self.assertEqual([str(r) for r in results if r.code != OK], [])
        versions = self.ok("--json", "artifact", "log", "x", "--all").json_lines()
        self.assertEqual(sorted(v["version"] for v in versions), list(range(1, 13)))
        self.assertEqual(len(self.started_nodes()), 1)
        self.assertEqual([path.name for path in (self.home / "run/symphony").iterdir()],
                         ["main.sock"])

    def test_the_next_command_finds_one_that_is_just_ending(self):
        self.linger(0)
        for _ in range(15):
            self.ok("artifact", "log")

    def test_nodes_of_two_names_are_two(self):
        self.linger(60)
        self.ok("artifact", "log")
        self.ok("artifact", "log", "--node", "other")
        self.assertEqual(len(self.started_nodes()), 2)

    def test_a_node_that_cannot_start_is_told_in_one_line_with_its_code(self):
        result = self.command("artifact", "log", binary=PROBED,
                              env={"PROBES": '[{"name": "/test/probe", "prepare": "fail"}]'})
        self.assertEqual(result.code, BOOT_FAILED, result)
        self.assertEqual(len(result.err.splitlines()), 1, result)
        self.assert_mentions(result.err, "symphony: ", PROBE, "the probe's prepare fails")
        self.until_no_node()

    def test_a_command_whose_settings_are_given_to_it_starts_a_node_that_has_them(self):
        (self.work / "node.toml").write_text('[node]\ndata_dir = "stored"\n')
        self.ok("artifact", "put", "melody.toml", "--name", "x", "--config", "node.toml",
                "--set", "log.file=node.log")
        self.until_no_node()
        self.assertTrue((self.work / "stored/data.mdb").exists())
        self.assertIn('"ready"', (self.work / "node.log").read_text())

    def test_it_has_no_part_in_what_is_the_commands(self):
        self.linger(60)
        self.ok("artifact", "log")  # returns, so its pipes are closed
        [pid] = self.started_nodes()
        process = pathlib.Path(f"/proc/{pid}")
        self.assertEqual(os.readlink(process / "cwd"), "/")
        self.assertEqual([os.readlink(process / f"fd/{stream}") for stream in range(3)],
                         ["/dev/null"] * 3)
        self.assertEqual(os.getsid(pid), pid)

    def test_ctrl_c_on_the_terminal_of_its_command_does_not_reach_it(self):
        self.linger(60)
        terminal = self.terminal("run", self.path)
        self.until("the program runs", (self.work / "started").exists)
        [pid] = self.started_nodes()
        os.killpg(terminal.popen.pid, signal.SIGINT)  # as a terminal does
        self.assertEqual(terminal.wait(), CANCELLED)
        self.assertEqual(self.started_nodes(), [pid])

    # ---- ending ---------------------------------------------------------------------------------

    def test_it_ends_by_itself_and_leaves_nothing(self):
        self.ok("artifact", "log")
        self.until_no_node()
        self.assertEqual(list((self.home / "run/symphony").iterdir()), [])

    def test_it_stays_for_its_clients(self):
        follower = self.process("runs", "--follow", "--json")
        self.until("a node is there", self.started_nodes)
        before = time.monotonic()
        while time.monotonic() < before + 3 * harness.LINGER_MS / 1000:
            self.assertEqual(len(self.started_nodes()), 1)
        self.assertEqual(follower.stop(signal.SIGINT), CANCELLED)
        self.until_no_node()

    def test_it_stays_for_runs_that_were_left_to_it(self):
        run = self.ok("run", self.path, "--detach").out.strip()
        self.until("the program runs", (self.work / "started").exists)
        before = time.monotonic()
        while time.monotonic() < before + 3 * harness.LINGER_MS / 1000:
            self.assertEqual(len(self.started_nodes()), 1)
        self.release()
        self.until_no_node()
        self.assertEqual(self.status(run), "succeeded")

    def test_it_makes_way_for_one_that_is_to_stay(self):
        self.linger(60)
        self.ok("artifact", "log")
        node = self.node()
        self.assertEqual(self.started_nodes(), [])
        self.assertEqual(self.ok("ps", "--json").json()["node"]["pid"], node.pid)

    def test_it_does_not_make_way_while_it_works(self):
        process, run = self.start_run()
        self.assertEqual(self.failing_node().code, NAME_TAKEN)
        self.release()
        self.assertEqual(process.wait(), OK)
        self.assertEqual(self.status(run), "succeeded")

    def test_one_that_was_started_to_stay_stays(self):
        node = self.node()
        self.ok("artifact", "log")
        self.ok("send", "/control", "makeWay")
        self.ok("health")
        self.assertTrue(node.alive())
        self.assertEqual(self.started_nodes(), [])

    # ---- runs end with their client -------------------------------------------------------------

    def assert_cancelled_by_the_death_of_its_client(self):
        process, run = self.start_run()
        program = int((self.work / "pid").read_text())
        process.signal(signal.SIGKILL)
        process.wait()
        self.until("the run is cancelled", lambda: self.status(run) == "cancelled")
        self.assertFalse(os.path.exists(f"/proc/{program}"))
        return run

    def test_a_killed_client_takes_its_run_along(self):
        run = self.assert_cancelled_by_the_death_of_its_client()
        (self.work / "started").unlink()
        resumed = self.process("--json", "run", "--resume", run)
        self.until("the program runs again", (self.work / "started").exists)
        self.release()
        summary = json.loads(resumed.line_with('"summary"'))
        self.assertEqual(summary["outputs"], {"got": "over\n"})
        self.assertEqual(resumed.wait(), OK)

    def test_a_killed_client_of_a_standing_node_as_well(self):
        node = self.node()
        self.assert_cancelled_by_the_death_of_its_client()
        self.assertTrue(node.alive())

    def test_a_client_that_only_watches_takes_nothing_along(self):
        run = self.ok("run", self.path, "--detach").out.strip()
        watch = self.process("--json", "runs", "watch", run[:-4])
        watch.line_with('"nodeStarted"')
        watch.signal(signal.SIGKILL)
        watch.wait()
        watch = self.process("--json", "runs", "watch", run)
        watch.line_with('"nodeStarted"')
        self.assertEqual(watch.stop(signal.SIGINT), CANCELLED)
        self.assertEqual(self.status(run), "running")
        self.release()
        watch = self.process("--json", "runs", "watch", run)
        self.assertIn(watch.wait(), (OK, FAILED), watch.err())  # FAILED: it was over before
        self.until("it succeeded", lambda: self.status(run) == "succeeded")

    def test_a_run_whose_node_was_killed_waits_for_its_client_to_come_back(self):
        process, run = self.start_run()
        [pid] = self.started_nodes()
        os.kill(pid, signal.SIGKILL)
        self.assertEqual(process.wait(), FAILED)
        self.assert_mentions(process.err(), f"symphony run --resume {run}")
        (self.work / "started").unlink()
        self.node()
        self.assertEqual(self.status(run), "running")
        self.assertFalse((self.work / "started").exists())
        resumed = self.process("--json", "run", "--resume", run)
        self.until("the program runs again", (self.work / "started").exists)
        self.release()
        self.assertEqual(resumed.wait(), OK, resumed.err())

    def test_a_run_that_was_left_to_a_node_goes_on_when_that_was_killed(self):
        run = self.ok("run", self.path, "--detach").out.strip()
        self.until("the program runs", (self.work / "started").exists)
        [pid] = self.started_nodes()
        os.kill(pid, signal.SIGKILL)
        (self.work / "started").unlink()
        self.until("another goes on with it",
                   lambda: self.ok("runs") and (self.work / "started").exists())
        self.until("it succeeds", lambda: self.release() or self.status(run) == "succeeded")


class LongPathTest(harness.CommandTest):
    def test_a_path_that_is_too_long_for_a_socket_is_no_matter(self):
        deep = self.home / ("d" * 120)
        deep.mkdir(mode=0o700)
        self.env["XDG_RUNTIME_DIR"] = str(deep)
        self.ok("artifact", "put", "-", "--name", "x", input=b"x")
        self.assertEqual(self.ok("artifact", "get", "x").out, "x")
        self.until_no_node()
        node = self.node()
        self.ok("health")
        self.ok("artifact", "log")
        endpoint = node.ready_line.split(" ready at ")[1].split(" ")[0]
        self.assertTrue(endpoint.startswith(f"/tmp/symphony-{os.geteuid()}/"), endpoint)
        self.assertEqual(node.stop(), OK)
        self.assertFalse(os.path.exists(endpoint))


if __name__ == "__main__":
    harness.main()
