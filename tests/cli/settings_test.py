"""Settings as a person gives them: by file, variable and option."""

import json

import harness
from harness import OK, USAGE

# What is in the file, and what has to be said about it: the place and the words that help.
BAD_FILES = {
    "a key that is not one": ('[log]\nlevle = "info"\n', ["node.toml:2", "levle", '"level"']),
    "a section that is not one": ('[lgo]\nlevel = "info"\n', ["node.toml:1", "lgo", '"log"']),
    "a number where text belongs": ('[log]\nlevel = 3\n', ["node.toml:2", "log.level"]),
    "text where a number belongs": ('[log]\nmax_files = "x"\n',
                                    ["node.toml:2", "log.max_files"]),
    "a number that is too large": ('[supervision]\njitter = 2.0\n',
                                   ["node.toml:2", "supervision.jitter", "1"]),
    "a number that is too small": ('[health]\ninterval_ms = 1\n',
                                   ["node.toml:2", "health.interval_ms", "10"]),
    "a word that is none of those allowed": ('[log]\nlevel = "inof"\n',
                                             ["node.toml:2", "log.level", '"info"']),
    "a name that cannot be one": ('[node]\nname = "Big Node"\n',
                                  ["node.toml:2", "node.name", "a-z"]),
    "two values that contradict each other": (
        '[health]\ninterval_ms = 5000\nstuck_after_ms = 100\n',
        ["node.toml:2", "health.interval_ms", "health.stuck_after_ms"]),
    "a key given twice": ('[log]\nlevel = "info"\nlevel = "warn"\n', ["node.toml:3", "level"]),
    "text without an end": ('[log]\nlevel = "info\n', ["node.toml:2"]),
    "no TOML at all": ('{"log": {}}\n', ["node.toml:1"]),
}


class SettingsTest(harness.CommandTest):
    def file(self, text, path="node.toml"):
        file = self.home / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    def shown(self, key, *arguments, env=None):
        """The value and the origin that `config show` tells."""
        shown = self.ok("config", "show", "--json", *arguments, env=env).json()["settings"][key]
        origin = shown["origin"]
        place = f":{origin['line']}" if "line" in origin else ""
        return shown["value"], origin.get("name", origin["kind"]) + place

    def assert_nothing_created(self, *but):
        self.assertEqual(list((self.home / "run").iterdir()), [])
        for name in ("data", "cache"):
            self.assertFalse((self.home / name).exists(), name)

    # ---- mistakes -------------------------------------------------------------------------------

    def test_every_kind_of_mistake_is_told_in_a_line_and_changes_nothing(self):
        for what, (text, words) in BAD_FILES.items():
            file = self.file(text)
            for command in (["node", "--config", file], ["config", "check", file]):
                with self.subTest(what, command=command[0]):
                    result = self.command(*command)
                    self.assertEqual(result.code, USAGE, result)
                    self.assertEqual(len(result.err.splitlines()), 1, result)
                    self.assert_mentions(result.err, *words)
        self.assert_nothing_created()

    def test_all_mistakes_are_told_at_once(self):
        file = self.file('[log]\nlevle = "info"\nmax_files = "x"\n')
        result = self.command("node", "--config", file, "--set", "boot.drain_ms=soon",
                              env={"SYMPHONY_LOG_FORMAT": "xml"})
        self.assertEqual(result.code, USAGE, result)
        self.assertEqual(len(result.err.splitlines()), 4, result)
        self.assert_mentions(result.err, "levle", "log.max_files", "boot.drain_ms", "log.format",
                             "SYMPHONY_LOG_FORMAT")
        self.assert_nothing_created()

    def test_bad_options_and_variables_are_refused(self):
        for arguments, env, words in (
                (["--set", "log.levle=info"], {}, ["log.levle", '"level"']),
                (["--set", "log.level"], {}, ["log.level", "="]),
                (["--set", "nonsense"], {}, ["nonsense"]),
                ([], {"SYMPHONY_LOG_LEVLE": "info"}, ["SYMPHONY_LOG_LEVLE"]),
                ([], {"SYMPHONY_NODE": "Big Node"}, ["Big Node", "a-z"]),
                (["--node", "-"], {}, ["a-z"]),
                (["--config", self.home / "missing.toml"], {}, ["missing.toml"])):
            for command in ("node", "ps"):
                with self.subTest(arguments, env=env, command=command):
                    result = self.command(command, *arguments, env=env)
                    self.assertEqual(result.code, USAGE, result)
                    self.assertEqual(len(result.err.splitlines()), 1, result)
                    self.assert_mentions(result.err, *words)
        self.assert_nothing_created()

    def test_a_log_file_that_cannot_be_written_is_refused(self):
        result = self.failing_node("--set", f"log.file={self.file('')}/node.log")
        self.assertEqual(result.code, USAGE, result)
        self.assert_mentions(result.err, "log.file", "node.toml/node.log")
        self.assert_nothing_created()

    # ---- who wins -------------------------------------------------------------------------------

    def test_the_nearest_source_wins(self):
        key, variable = "log.max_files", {"SYMPHONY_LOG_MAX_FILES": "3"}
        self.assertEqual(self.shown(key), (5, "default"))
        default = self.file("[log]\nmax_files = 1\n", "config/symphony/node.toml")
        self.assertEqual(self.shown(key), (1, f"{default}:2"))
        file = self.file("\n[log]\nmax_files = 2\n")
        self.assertEqual(self.shown(key, "--config", file), (2, f"{file}:3"))
        self.assertEqual(self.shown(key, env={"SYMPHONY_CONFIG": str(file)}), (2, f"{file}:3"))
        self.assertEqual(self.shown(key, "--config", file, env=variable),
                         (3, "SYMPHONY_LOG_MAX_FILES"))
        self.assertEqual(self.shown(key, "--set", f"{key}=4", "--config", file, env=variable),
                         (4, f"--set {key}=4"))
        self.assertEqual(self.shown(key, "--set", f"{key}=4", "--set", f"{key}=6"),
                         (6, f"--set {key}=6"))

    def test_a_node_shows_the_settings_it_runs_with(self):
        self.node("--set", "log.max_files=4")
        answer = self.ok("send", "/foundation/settings", "show", '{"prefix": "log"}', "--json")
        settings = {entry["key"]: entry for entry in answer.json()["settings"]}
        self.assertEqual(settings["log.max_files"]["value"], "4")
        self.assertEqual(settings["log.max_files"]["origin"], "--set log.max_files=4")
        self.assertNotIn("node.name", settings)

    # ---- config ---------------------------------------------------------------------------------

    def test_config_check_approves_of_the_sample_it_prints(self):
        file = self.file(self.ok("config", "sample").out)
        result = self.ok("config", "check", file)
        self.assertEqual(result.err, "")
        self.assertIn("node.toml", result.out)

    def test_config_show_names_every_origin(self):
        text = self.ok("config", "show", "--set", "log.level=warn").out
        line = next(line for line in text.splitlines() if line.startswith("log.level "))
        self.assert_mentions(line, "warn", "--set")


if __name__ == "__main__":
    harness.main()
