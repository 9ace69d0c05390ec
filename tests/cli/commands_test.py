"""What people and programs ask of a living node."""

import json
import signal

import harness
from harness import FAILED, NO_NODE, OK, PROBED, USAGE

PROBE = "/test/probe"


class CommandsTest(harness.CommandTest):
    def assert_plain(self, text):
        self.assertNotIn("\x1b", text)

    # ---- nobody there ---------------------------------------------------------------------------

    def test_without_a_node_every_command_says_how_to_start_one(self):
        for command in (["ps"], ["tree"], ["describe", "/x"], ["send", "/x", "y"], ["log"],
                        ["log", "-f"], ["health"], ["stop"]):
            result = self.command(*command)
            self.assertEqual(result.code, NO_NODE, result)
            self.assertEqual(result.out, "", result)
            self.assertEqual(len(result.err.splitlines()), 1, result)
            self.assert_mentions(result.err, "symphony: ", "no node named main is running",
                                 "start one with: symphony node")
        result = self.command("ps", "--node", "other")
        self.assert_mentions(result.err, "other", "symphony node --name other")
        self.assertEqual(list((self.home / "run").iterdir()), [])

    def test_a_component_that_is_not_there_is_named(self):
        self.node()
        for command in (["describe", "/nobody"], ["send", "/nobody", "check"]):
            result = self.command(*command)
            self.assertEqual(result.code, FAILED, result)
            self.assert_mentions(result.err, "/nobody", "symphony ps")

    # ---- usage ----------------------------------------------------------------------------------

    def test_wrong_arguments_are_usage_errors(self):
        for command in ([], ["nonsense"], ["ps", "--nonsense"], ["describe"], ["send", "/x"],
                        ["log", "--level", "loud"], ["help", "nonsense"], ["config"]):
            result = self.command(*command)
            self.assertEqual(result.code, USAGE, result)
            self.assertNotEqual(result.err, "", result)

    def test_misspelt_arguments_are_answered_with_what_was_meant(self):
        for arguments, told in (
                (["artefact"], 'there is no command "artefact" (did you mean "artifact"?)'),
                (["melody", "chekc", "x"], 'there is no command "chekc" (did you mean "check"?)'),
                (["run", "m.toml", "--inputt", "a=b"],
                 'there is no option --inputt (did you mean "--input"?)'),
                (["ps", "--jsn"], 'there is no option --jsn (did you mean "--json"?)'),
                (["health", "now"], '"now" is one argument too many; see `symphony health --help`'),
                ([], "see `symphony --help`")):
            result = self.command(*arguments)
            self.assertEqual(result.code, USAGE, result)
            self.assertIn(told, result.err)
            self.assertEqual(result.err.count("\n"), 1, result)

    def test_helps(self):
        self.assertRegex(self.ok("--version").out, r"^symphony \d+\.\d+\.\d+\n$")
        overview = self.ok("--help").out
        self.assertEqual(self.ok("help").out, overview)
        for command in ("node", "stop", "health", "ps", "tree", "describe", "send", "log",
                        "config"):
            self.assertIn(command, overview)
            self.assertIn(f"Usage: symphony {command} ", self.ok("help", command).out)

    # ---- looking --------------------------------------------------------------------------------

    def test_ps_lists_the_components(self):
        node = self.node()
        answer = self.ok("ps", "--json").json()
        names = [row["name"] for row in answer["components"]]
        for name in ("/control", "/health", "/foundation/log", "/foundation/settings",
                     "/foundation/telemetry", "/system"):
            self.assertIn(name, names)
        self.assertEqual(names, sorted(names))
        self.assertEqual((answer["node"]["name"], answer["node"]["pid"]), ("main", node.pid))
        table = self.ok("ps").out
        self.assert_plain(table)
        self.assertTrue(table.startswith("NAME"), table)
        for name in names:
            self.assertIn(name, table)
        self.assertIn(f"pid {node.pid}", table)

    def test_tree_shows_positions(self):
        self.node()
        root = self.ok("tree", "--json").json()["root"]
        self.assertEqual((root["name"], root["strategy"]), ("/system", "rest-for-one"))
        phases = [child["name"] for child in root["children"]]
        self.assertEqual((phases[0], phases[-2:]),
                         ("/system/foundation", ["/system/application", "/health"]))
        self.assertEqual(self.position("/control")["state"], "ready")
        tree = self.ok("tree").out
        self.assert_plain(tree)
        self.assertTrue(tree.startswith("/system"), tree)
        self.assertIn("─ /control  ready", tree)
        self.assertTrue(tree.splitlines()[-1].startswith("└─ /health  ready"), tree)

    def test_describe_tells_what_a_component_understands(self):
        self.node()
        about = self.ok("describe", "/control", "--json").json()
        self.assertEqual((about["name"], about["protocol"]), ("/control", "Control"))
        self.assertIn("peers", [method["name"] for method in about["methods"]])
        text = self.ok("describe", "/control").out
        self.assert_mentions(text, "/control: ", "protocol     Control",
                             "peers(ListPeersRequest) -> ListPeersResponse",
                             str(self.socket_path()))

    def test_describe_tells_the_settings_of_a_component_and_where_they_come_from(self):
        (self.work / "node.toml").write_text('[log]\nlevels = { "/pit" = "warn" }\n')
        self.node("--config", "node.toml", "--set", "log.max_files=7",
                  env={"SYMPHONY_LOG_LEVEL": "debug"})
        about = self.ok("describe", "/foundation/log", "--json").json()
        settings = {row["key"]: (json.loads(row["value"]), row["origin"])
                    for row in about["settings"]}
        self.assertEqual(settings["log.level"], ("debug", "environment SYMPHONY_LOG_LEVEL"))
        self.assertEqual(settings["log.max_files"], (7, "--set log.max_files=7"))
        self.assertEqual(settings["log.levels./pit"], ("warn", "node.toml:2"))
        self.assertEqual(settings["log.format"], ("auto", "default"))
        self.assertEqual({key.split(".")[0] for key in settings}, {"log", "mailbox"})
        self.assertIn('  setting      log.level = "debug" (environment SYMPHONY_LOG_LEVEL)\n',
                      self.ok("describe", "/foundation/log").out)

    def test_every_setting_is_some_components(self):
        self.node()
        told = {row["key"] for component in self.ok("ps", "--json").json()["components"]
                for row in self.ok("describe", component["name"], "--json").json()
                .get("settings", [])}
        shown = self.ok("send", "/foundation/settings", "show", "--json").json()["settings"]
        self.assertEqual(told, {row["key"] for row in shown})

    def test_health_is_an_exit_code(self):
        self.node()
        self.assertRegex(self.ok("health").out, r"^healthy: \d+ components")
        report = self.ok("health", "--json").json()
        self.assertEqual((report["healthy"], report["ready"]), (True, True))
        self.assertEqual(report.get("problems", []), [])

    # ---- sending --------------------------------------------------------------------------------

    def test_send_prints_the_answer(self):
        self.node(probes=[{"name": PROBE}])
        # 2^53 + 1 survives: integers are not floating point numbers on their way.
        request = '{"text": "söme \\"words\\"", "number": 9007199254740993}'
        for style in ([], ["--json"]):
            result = self.command("send", PROBE, "echo", request, *style, binary=PROBED)
            self.assertEqual(result.code, OK, result)
            answer = result.json()
            self.assertEqual((answer["text"], int(answer["number"])),
                             ('söme "words"', 9007199254740993))
            self.assertEqual(len(result.out.splitlines()) == 1, bool(style))

    def test_send_carries_one_way_messages(self):
        self.node(probes=[{"name": PROBE}])
        self.assertEqual(self.ok("send", PROBE, "count", binary=PROBED).out, "")
        counted = self.ok("send", PROBE, "counted", "--json", binary=PROBED).json()
        self.assertEqual(counted, {"count": "1"} if isinstance(counted["count"], str)
                         else {"count": 1})

    def test_send_says_what_is_wrong_with_a_request(self):
        self.node(probes=[{"name": PROBE}])
        for method, request, words in (
                ("ecko", "{}", ["ecko", "echo", "symphony describe " + PROBE]),
                ("echo", '{"text": 5}', ["text"]),
                ("echo", '{"txet": "x"}', ["txet", "text"]),
                ("echo", '{"text": "x"', ["JSON"]),
                ("echo", '{"number": 9223372036854775808}', ["number"])):
            result = self.command("send", PROBE, method, request, binary=PROBED)
            self.assertEqual(result.code, USAGE, result)
            self.assertEqual(len(result.err.splitlines()), 1, result)
            self.assert_mentions(result.err, "symphony: ", *words)

    def test_send_leaves_the_life_of_a_component_to_its_supervisor(self):
        self.node(probes=[{"name": PROBE}])
        for name in (PROBE, "/system", "/control"):
            for method in ("prepare", "start", "drain", "stop"):
                result = self.fails(FAILED, "send", name, method, binary=PROBED)
                self.assertEqual((result.out, result.err),
                                 ("", f"symphony: Component.{method} is for the component's "
                                      "supervisor only\n"))
        self.fails(OK, "send", PROBE, "echo", binary=PROBED)
        self.assertEqual(self.position(PROBE)["restarts"], 0)
        self.ok("health")

    def test_send_waits_no_longer_than_it_is_told(self):
        self.node(probes=[{"name": PROBE}])
        result = self.command("send", PROBE, "keep", "--timeout", "0.1", binary=PROBED)
        self.assertEqual(result.code, FAILED, result)
        self.assert_mentions(result.err, "in time")

    # ---- the log --------------------------------------------------------------------------------

    def test_log_shows_what_was_logged(self):
        self.node()
        lines = self.ok("log").out.splitlines()
        self.assertTrue(any("info" in line and "/node: ready" in line for line in lines), lines)
        self.assertEqual(len(self.ok("log", "-n", "1").out.splitlines()), 1)
        records = [json.loads(line) for line in self.ok("log", "--json").out.splitlines()]
        self.assertIn("ready", [record["message"] for record in records])
        self.assertEqual(self.ok("log", "--level", "error").out, "")
        self.assertEqual(self.ok("log", "--component", "/foundation").out, "")

    def test_log_follows(self):
        self.node(probes=[{"name": PROBE}])
        text = self.process("log", "-f")
        text.line_with("ready")
        parsed = self.process("log", "-f", "--json", "--component", "/system")
        self.command("send", PROBE, "crash", '{"message": "here I am"}', binary=PROBED)
        self.assert_plain(text.line_with("here I am"))
        self.assertEqual(json.loads(parsed.line_with("here I am"))["level"], "error")
        text.signal(signal.SIGINT)
        self.assertIn(text.wait(), (-signal.SIGINT, 130))

    # ---- colours --------------------------------------------------------------------------------

    def on_terminal(self, *arguments, **environment):
        """What a command writes to a terminal."""
        terminal = self.terminal(*arguments, env=environment)
        self.assertEqual(terminal.wait(), OK, terminal.text)
        return terminal.text

    def test_colours_are_for_terminals_whose_owner_wants_them(self):
        self.node()
        self.assertIn("\x1b[", self.on_terminal("ps"))
        self.assert_plain(self.on_terminal("ps", NO_COLOR="1"))
        self.assert_plain(self.on_terminal("ps", TERM="dumb"))
        self.assertIn("\x1b[", self.on_terminal("log"))
        self.assert_plain(self.on_terminal("log", NO_COLOR="1"))


if __name__ == "__main__":
    harness.main()
