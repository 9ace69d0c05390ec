"""A node from its start to its end, as who starts it sees it."""

import json
import os
import signal

import harness
from harness import NAME_TAKEN, NO_NODE, OK, USAGE

# What draining and stopping may take together for a node that has nothing to do.
STOP_WITHIN_S = 5


class NodeTest(harness.CommandTest):
    # ---- ready ----------------------------------------------------------------------------------

    def test_says_where_it_is_ready(self):
        node = self.node()
        self.assertRegex(node.ready_line,
                         rf"^symphony: node main is ready at {self.socket_path()} "
                         rf"\(pid {node.pid}, \d+ ms\)$")
        self.assertTrue(self.socket_path().is_socket())
        self.assertEqual(self.socket_path().stat().st_mode & 0o777, 0o600)

    def test_says_so_in_json(self):
        node = self.node("--json")
        ready = json.loads(node.ready_line)
        self.assertIs(ready.pop("ready"), True)
        self.assertGreaterEqual(ready.pop("boot_ms"), 0)
        self.assertEqual(ready, {"node": "main", "endpoint": str(self.socket_path()),
                                 "pid": node.pid})

    def test_takes_its_name_from_the_nearest_of_option_variable_and_settings(self):
        self.node("--set", "node.name=settings")
        self.assertTrue(self.socket_path("settings").is_socket())
        self.node("--set", "node.name=settings", env={"SYMPHONY_NODE": "variable"})
        self.assertTrue(self.socket_path("variable").is_socket())
        self.node("--name", "option", env={"SYMPHONY_NODE": "variable"})
        self.assertTrue(self.socket_path("option").is_socket())
        self.ok("tree", "--node", "option")

    def test_nodes_of_two_names_live_side_by_side(self):
        self.node("--name", "one")
        self.node("--name", "two")
        self.ok("tree", "--node", "one")
        self.ok("tree", "--node", "two")

    def test_refuses_a_name_that_could_not_be_a_path(self):
        result = self.failing_node("--name", "../escape")
        self.assertEqual(result.code, USAGE, result)
        self.assert_mentions(result.err, "../escape", "a-z")
        self.assertFalse((self.home / "data").exists())

    def test_refuses_a_second_node_of_the_same_name(self):
        first = self.node()
        second = self.failing_node()
        self.assertEqual(second.code, NAME_TAKEN, second)
        self.assert_mentions(second.err, "symphony: ", "main", "--name")
        self.assertEqual(len(second.err.splitlines()), 1, second.err)
        self.assertTrue(first.alive())
        self.ok("tree")

    def test_replaces_the_stale_socket_of_one_that_was_killed(self):
        first = self.node()
        first.kill()
        self.assertTrue(self.socket_path().is_socket())
        self.node()
        self.ok("tree")

    # ---- the end --------------------------------------------------------------------------------

    def test_stops_on_sigterm(self):
        node = self.node()
        node.signal(signal.SIGTERM)
        self.assert_stops_cleanly(node, STOP_WITHIN_S)

    def test_stops_on_sigint(self):
        node = self.node()
        node.signal(signal.SIGINT)
        self.assert_stops_cleanly(node, STOP_WITHIN_S)

    def test_stops_when_it_is_told_to(self):
        node = self.node()
        result = self.ok("stop")
        self.assertEqual(result.out, "node main is stopping\n")
        self.assert_stops_cleanly(node, STOP_WITHIN_S)

    def test_stops_with_clients_attached(self):
        node = self.node()
        follower = self.process("log", "-f")
        follower.line_with("ready")
        with self.connection():
            node.signal(signal.SIGTERM)
            self.assert_stops_cleanly(node, STOP_WITHIN_S)
        self.assertEqual(follower.wait(), NO_NODE, follower.err())
        self.assert_mentions(follower.err(), "node main has stopped")

    def test_outlives_its_terminal(self):
        node = self.node()
        node.signal(signal.SIGHUP)
        self.ok("tree")  # it answers after the signal, which is handled before its own SIGTERM
        node.signal(signal.SIGTERM)
        self.assert_stops_cleanly(node)

    def test_leaves_nothing_in_the_runtime_directory(self):
        node = self.node()
        node.signal(signal.SIGTERM)
        node.wait()
        self.assertEqual(list((self.home / "run" / "symphony").iterdir()), [])

    # ---- who else looks at it -------------------------------------------------------------------

    def test_tells_the_service_manager(self):
        for path in (str(self.home / "notify"), "\0symphony-" + self.home.name):
            with self.service_manager(path) as (manager, env):
                node = self.node(env=env)
                self.assertIn("READY=1", manager.recv(4096).decode().splitlines())
                node.signal(signal.SIGTERM)
                self.assertIn("STOPPING=1", manager.recv(4096).decode().splitlines())
                self.assertEqual(node.wait(), OK)

    def test_logs_json_lines_where_nobody_reads_along(self):
        node = self.node()
        node.signal(signal.SIGTERM)
        node.wait()
        records = [json.loads(line) for line in node.err().splitlines()]
        messages = [record["message"] for record in records]
        self.assertIn("ready", messages)
        self.assertEqual(messages[-1], "stopped")
        self.assertTrue(all(record["node"] == "main" for record in records))

    def test_logs_to_the_file_it_is_given(self):
        node = self.node("--set", f"log.file={self.home}/node.log")
        node.signal(signal.SIGTERM)
        self.assertEqual(node.wait(), OK)
        self.assertEqual(node.err(), "")
        self.assertIn('"ready"', (self.home / "node.log").read_text())

    def test_refuses_a_log_file_in_a_directory_that_does_not_exist(self):
        missing = self.home / "nowhere" / "node.log"
        (self.work / "node.toml").write_text(f'[log]\nfile = "{missing}"\n')
        for arguments, place in ((["--set", f"log.file={missing}"], f"--set log.file={missing}"),
                                 (["--config", "node.toml"], "node.toml:2")):
            result = self.failing_node(*arguments)
            self.assertEqual(result.code, USAGE, result)
            self.assertEqual(result.err, f"symphony: {place}: log.file: there is no directory "
                             f"{missing.parent} for the log file: create it, or name another "
                             "file\n")
            self.assertFalse(missing.parent.exists())
            self.assertFalse((self.home / "data").exists())

    # ---- places ---------------------------------------------------------------------------------

    def test_finds_its_places_without_xdg_variables(self):
        runtime = f"/tmp/symphony-{os.geteuid()}"
        for name in ("XDG_RUNTIME_DIR", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"):
            del self.env[name]
        name = "t" + self.home.name[3:].lower().replace("_", "x")
        node = self.node("--name", name)
        self.assertIn(f" {runtime}/{name}.sock ", node.ready_line)
        self.assertEqual(os.stat(runtime).st_mode & 0o777, 0o700)
        self.assertTrue((self.home / ".local/share/symphony" / name).is_dir())
        self.ok("tree", "--node", name)
        node.signal(signal.SIGTERM)
        self.assertEqual(node.wait(), OK)
        self.assertFalse(os.path.exists(f"{runtime}/{name}.sock"))

    def test_keeps_its_data_from_others_whatever_the_umask(self):
        before = os.umask(0)
        try:
            self.node()
        finally:
            os.umask(before)
        for path in (self.home / "data", *(self.home / "data").rglob("*")):
            self.assertEqual(path.stat().st_mode & 0o777, 0o700 if path.is_dir() else 0o600, path)
        self.assertTrue((self.home / "data/symphony/main/data.mdb").exists())

    def test_refuses_a_data_directory_it_cannot_write(self):
        (self.home / "file").write_text("")
        result = self.failing_node("--set", f"node.data_dir={self.home}/file/data")
        self.assertEqual(result.code, USAGE, result)
        self.assert_mentions(result.err, f"{self.home}/file/data", "node.data_dir")
        self.assertFalse(self.socket_path().exists())

    def test_refuses_a_runtime_directory_that_others_may_enter(self):
        (self.home / "run" / "symphony").mkdir(mode=0o755)
        result = self.failing_node()
        self.assertEqual(result.code, USAGE, result)
        self.assert_mentions(result.err, f"{self.home}/run/symphony", "chmod 700")


if __name__ == "__main__":
    harness.main()
