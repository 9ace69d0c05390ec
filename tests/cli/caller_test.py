"""A run belongs to whoever started it: directory and environment, with and without a node."""

import json
import os
import signal

import harness
from harness import CANCELLED, FAILED, OK, USAGE

WRITING = """
name = "writing"
version = "1"
[nodes.write]
use = "file.write"
with = { path = "out.txt", content = "x" }
[nodes.program]
use = "process.run"
with = { command = ["sh", "-c", "pwd; env"] }
[nodes.list]
use = "file.glob"
needs = ["write"]
with = { root = ".", include = ["out.txt"] }
[nodes.stat]
use = "file.stat"
needs = ["write"]
with = { paths = ["out.txt"] }
[outputs]
told = "${nodes.program.stdout}"
listed = "${nodes.list.files}"
size = "${nodes.stat.files[0].size}"
"""

# The first time it stays at the pipe; when it is resumed it goes on.
STAYING = """
name = "staying"
version = "1"
[nodes.stay]
use = "process.run"
with = { command = ["sh", "-c", "pwd > where; [ -e resumed ] || { touch started; cat pipe; }; \
printenv SECRET > secret; true"] }
pass_env = ["SECRET"]
"""

SETTING = """
name = "setting"
version = "1"
env = { COLOUR = "red", SIZE = "large $HOME" }
[nodes.all]
use = "process.run"
with = { command = ["env"] }
[nodes.own]
use = "process.run"
env = { COLOUR = "blue" }
pass_env = ["API_KEY"]
with = { command = ["env"], environment = { SIZE = "${inputs.size}" } }
[inputs.size]
default = "small"
[outputs]
all = "${nodes.all.stdout}"
own = "${nodes.own.stdout}"
"""


def variables(text):
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)


class CallerTest(harness.CommandTest):
    def summary(self, *arguments, **options):
        return self.ok("--json", "run", *arguments, **options).json_lines()[-1]

    def places(self):
        """Run somewhere with a node that was started in another place, and without one."""
        elsewhere = self.home / "elsewhere"
        elsewhere.mkdir()
        yield "alone"
        self.until_no_node()
        node = self.process("node", kind=harness.Node, cwd=elsewhere,
                            env={"OF_THE_NODE": "x", "TZ": "Asia/Tokyo"})
        node.wait_until_ready()
        yield "with a node"

    # ---- directory ------------------------------------------------------------------------------

    def test_relative_paths_start_where_the_command_was_given(self):
        self.melody(WRITING)
        for place in self.places():
            with self.subTest(place):
                outputs = self.summary("melody.toml")["outputs"]
                self.assertEqual(outputs["told"].splitlines()[0], str(self.work))
                self.assertEqual([file["path"] for file in outputs["listed"]], ["out.txt"])
                self.assertEqual(outputs["size"], 1)
                self.assertEqual((self.work / "out.txt").read_text(), "x")
                (self.work / "out.txt").unlink()

    def test_and_still_do_when_it_is_resumed_from_elsewhere(self):
        os.mkfifo(self.work / "pipe")
        self.melody(STAYING)
        process = self.process("--json", "run", "melody.toml", env={"SECRET": "first"})
        run = json.loads(process.line_with('"accepted"'))["run"]
        self.until("it stays", (self.work / "started").exists)
        self.assertEqual(process.stop(signal.SIGINT), CANCELLED)
        (self.work / "resumed").touch()
        self.ok("run", "--resume", run, cwd="/", env={"SECRET": "second"})
        self.assertEqual((self.work / "where").read_text(), f"{self.work}\n")
        self.assertEqual((self.work / "secret").read_text(), "second\n")

    def test_a_directory_whose_name_is_odd_is_one(self):
        odd = self.home / os.fsdecode(b"caf\xe9 \n'")
        odd.mkdir()
        self.melody(WRITING)
        self.ok("run", self.work / "melody.toml", cwd=odd)
        self.assertEqual((odd / "out.txt").read_text(), "x")

    # ---- environment ----------------------------------------------------------------------------

    def test_programs_see_what_every_run_takes_along_and_nothing_else(self):
        self.melody(WRITING)
        for place in self.places():
            with self.subTest(place):
                told = variables(self.summary("melody.toml", env={
                    "LC_TIME": "de_DE.UTF-8", "USER": "me", "MYVAR": "mine",
                    "SYMPHONY_NODE_LINGER_MS": "300"})["outputs"]["told"])
                shell = {"PWD", "OLDPWD", "SHLVL", "_"}
                self.assertEqual({name: value for name, value in told.items()
                                  if name not in shell},
                                 {"PATH": self.env["PATH"], "HOME": self.env["HOME"],
                                  "LANG": "C.UTF-8", "TZ": "UTC", "LC_TIME": "de_DE.UTF-8",
                                  "USER": "me"})

    def test_the_melody_sets_variables_and_passes_the_callers(self):
        self.melody(SETTING)
        outputs = self.summary("melody.toml", env={"API_KEY": "hush"})["outputs"]
        everywhere, own = variables(outputs["all"]), variables(outputs["own"])
        self.assertEqual((everywhere["COLOUR"], everywhere["SIZE"]), ("red", "large $HOME"))
        self.assertNotIn("API_KEY", everywhere)
        self.assertEqual((own["COLOUR"], own["SIZE"], own["API_KEY"]), ("blue", "small", "hush"))

    def test_a_variable_that_is_to_be_passed_and_is_not_set_is_told_with_its_line(self):
        self.melody(SETTING)
        for place in self.places():
            with self.subTest(place):
                err = self.fails(USAGE, "run", "melody.toml").err
                self.assertEqual(err, f"{self.work}/melody.toml:11: nodes.own.pass_env: the "
                                      "variable API_KEY is not set here: set it, or take it out of "
                                      "pass_env\n")

    def test_secrets_are_nowhere_but_in_the_programs(self):
        secret = "tell-nobody-5721"
        self.melody(SETTING.replace('own = "${nodes.own.stdout}"', "").replace(
            '["env"], environment', '["sh", "-c", "echo $API_KEY > told; exit 3"], environment'))
        node = self.node("--set", "log.level=trace", "--set", f"log.file={self.home}/node.log")
        result = self.fails(FAILED, "--json", "run", "melody.toml", env={"API_KEY": secret})
        self.assertEqual((self.work / "told").read_text(), secret + "\n")
        run = result.json_lines()[0]["run"]
        shown = self.ok("--json", "runs", "show", run)
        log = self.ok("log", "-n", "1000", "--json")
        self.assertEqual(node.stop(), OK)
        for text in (str(result), str(shown), str(log), (self.home / "node.log").read_text()):
            self.assertNotIn(secret, text)
        for path in (self.home / "data").rglob("*"):
            if path.is_file():
                self.assertNotIn(secret.encode(), path.read_bytes(), path)


if __name__ == "__main__":
    harness.main()
