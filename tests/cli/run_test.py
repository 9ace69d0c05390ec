"""symphony run and symphony runs: alone, attached, on a terminal, in a pipe, cut short and resumed."""

import json
import os
import re
import signal

import harness
from harness import CANCELLED, FAILED, OK, SOURCE, USAGE

QUICK = """
name = "quick"
version = "1"
[inputs.word]
type = "text"
[inputs.times]
type = "integer"
default = 3
[nodes.say]
use = "process.run"
with = { command = ["printf", "%s", "${inputs.word}"] }
[nodes.each]
use = "process.run"
map = ["a", "b", "c"]
needs = ["say"]
with = { command = ["echo", "${item}"] }
[outputs]
said = "${nodes.say.stdout}"
"""

FAILING = """
name = "failing"
version = "1"
[nodes.good]
use = "process.run"
with = { command = ["true"] }
[nodes.bad]
use = "process.run"
needs = ["good"]
with = { command = ["false"] }
"""

# `wait` ends when somebody opened the pipe for writing and closed it again; `first` leaves a line
# each time it is run.
WAITING = """
name = "waiting"
version = "1"
[inputs.place]
type = "path"
[nodes.first]
use = "process.run"
with = { command = ["sh", "-c", "echo ran >> first.log"], directory = "${inputs.place}" }
[nodes.wait]
use = "process.run"
needs = ["first"]
with = { command = ["sh", "-c", "touch started; cat pipe"], directory = "${inputs.place}" }
[outputs]
got = "${nodes.wait.stdout}"
"""


class Quick(harness.CommandTest):
    def test_prints_a_line_for_what_matters_and_a_summary(self):
        result = self.ok("run", self.melody(QUICK), "--input", "word=hello, world")
        out = result.out
        self.assertIn("each: 3 to do", out)
        self.assertIn("say: done in", out)
        self.assertIn("✓ quick succeeded in", out)
        self.assertIn("critical path", out)
        self.assertRegex(out, r"said\s+hello, world")
        self.assertNotIn("\x1b", out)
        self.assertEqual(result.err, "")

    def test_prints_json_lines_for_programs(self):
        lines = self.ok("--json", "run", self.melody(QUICK), "--input", "word=hi").json_lines()
        self.assertEqual((lines[0]["kind"], lines[0]["node"]), ("accepted", "main"))
        self.assertEqual(lines[-1]["kind"], "summary")
        self.assertEqual(lines[-1]["status"], "succeeded")
        self.assertEqual(lines[-1]["outputs"], {"said": "hi"})
        kinds = [line["kind"] for line in lines]
        self.assertEqual(kinds.count("ended"), 1)
        self.assertIn("nodeDone", kinds)

    def test_runs_melodies_whose_path_is_odd(self):
        self.ok("run", self.melody(QUICK, "it's a\n\"melody\".toml"), "--input", "word=x")

    def test_attaches_to_the_node_that_runs(self):
        node = self.node()
        self.ok("run", self.melody(QUICK), "--input", "word=x")
        self.assertEqual(self.started_nodes(), [])
        self.assertEqual(node.stop(), OK)

    def test_may_be_left_to_the_node(self):
        self.node()
        out = self.ok("run", self.melody(QUICK), "--input", "word=x", "--detach").out
        run = out.strip()
        self.assertRegex(run, r"^[0-9a-f-]{36}$")
        out = self.ok("runs").out
        self.assertIn(run, out)

    def test_may_be_left_to_a_node_that_the_command_starts(self):
        run = self.ok("run", self.melody(QUICK), "--input", "word=x", "--detach").out.strip()
        self.until_no_node()
        [row] = self.ok("--json", "runs").json_lines()
        self.assertEqual((row["run"], row["status"]), (run, "succeeded"))

    def test_draws_on_a_terminal_and_leaves_the_cursor_visible(self):
        terminal = self.terminal("run", self.melody(QUICK), "--input", "word=x", columns=90)
        self.assertEqual(terminal.wait(), OK)
        self.assertIn("\x1b[?25l", terminal.text)
        self.assertEqual(terminal.text.rfind("\x1b[?25h") > terminal.text.rfind("\x1b[?25l"), True)
        self.assertRegex(terminal.text, r"✓.*each")
        self.assertIn("3/3", terminal.text)
        self.assertIn("succeeded", terminal.text)

    def test_prints_lines_on_a_terminal_that_cannot_redraw(self):
        terminal = self.terminal("run", self.melody(QUICK), "--input", "word=x",
                                 env={"TERM": "dumb"})
        self.assertEqual(terminal.wait(), OK)
        self.assertIn("say: done in", terminal.text)
        self.assertNotIn("\x1b", terminal.text)


class Report(harness.CommandTest):
    def files(self, output):
        """How many files a report on the working directory finds."""
        lines = self.ok("--json", "run", SOURCE / "config/melodies/repo-report.toml", "--input",
                        "path=.", "--input", f"output={output}").json_lines()
        return lines[-1]["outputs"]["files"]

    def test_is_not_its_own_input_however_its_place_is_written(self):
        (self.work / "a.c").write_text("int f(void) { return 1; }\n")
        for output in ("out", "./out", "deep/../out/", self.work / "out"):
            self.assertEqual(self.files(output), 1, output)
        self.assertTrue((self.work / "out/report.html").exists())

    def test_stays_available_under_its_name(self):
        (self.work / "a.c").write_text("int f(void) { return 1; }\n")
        self.files("out")
        first = (self.work / "out/report.md").read_bytes()
        (self.work / "b.py").write_text("x = 1\n")
        self.files("out")
        self.assertNotEqual((self.work / "out/report.md").read_bytes(), first)
        self.ok("artifact", "get", "repo-report/report.md@1", "-o", "first.md")
        self.assertEqual((self.work / "first.md").read_bytes(), first)


class Bad(harness.CommandTest):
    def test_melodies_are_told_line_by_line_with_2(self):
        path = self.melody(QUICK.replace("process.run", "process.rum").replace("${item}", "${itme}"))
        err = self.fails(USAGE, "run", path, "--input", "word=x").err
        self.assertEqual(len(re.findall(rf"^{re.escape(str(path))}:\d+:", err, re.M)), 3, err)
        self.assertIn("process.run", err)

    def test_inputs_are_told_all_at_once_with_2(self):
        err = self.fails(USAGE, "run", self.melody(QUICK), "--input", "wrd=x", "--input",
                         "times=many").err
        for word in ("wrd", "word", "times"):
            self.assertIn(word, err)
        err = self.fails(USAGE, "run", self.melody(QUICK), "--input", "word").err
        self.assertIn("word", err)

    def test_files_are_told_with_2(self):
        self.fails(USAGE, "run", "missing.toml")
        self.fails(USAGE, "run", ".")
        (self.work / "latin.toml").write_bytes(b'name = "caf\xe9"\n')
        err = self.fails(USAGE, "run", "latin.toml").err
        self.assertIn("latin.toml:1", err)

    def test_use_is_told_with_2(self):
        self.fails(USAGE, "run")
        self.fails(USAGE, "run", "a.toml", "--resume", "0192")

    def test_runs_that_do_not_exist_are_told(self):
        err = self.fails(USAGE, "run", "--resume", "0192abcd").err
        self.assertIn("0192abcd", err)

    def test_work_is_told_with_1(self):
        out = self.fails(FAILED, "run", self.melody(FAILING)).out
        self.assertIn("bad: failed after", out)
        self.assertIn("✗ failing failed", out)
        self.assertIn("--resume", out)


class CutShort(harness.CommandTest):
    def setUp(self):
        super().setUp()
        os.mkfifo(self.work / "pipe")
        self.path = self.melody(WAITING)

    def ran_first(self):
        return (self.work / "first.log").read_text().count("ran")

    def finish(self, *arguments):
        """Resumes, lets `wait` end, and returns the summary."""
        resumed = self.process("--json", "run", *arguments)
        with open(self.work / "pipe", "w") as pipe:  # opens when `wait` reads it
            pipe.write("through")
        summary = json.loads(resumed.line_with('"summary"'))
        self.assertEqual(resumed.wait(), OK)
        return summary

    def test_by_ctrl_c_exits_with_130_and_repeats_nothing_that_is_done(self):
        process = self.process("--json", "run", self.path, "--input", f"place={self.work}")
        run = json.loads(process.line_with('"accepted"'))["run"]
        process.line_with('"first"')
        while True:
            event = json.loads(process.line_with('"wait"'))
            if event["kind"] == "nodeStarted":
                break
        self.assertEqual(process.stop(signal.SIGINT), CANCELLED)
        summary = self.finish("--resume", run[:-4])
        self.assertEqual(summary["outputs"], {"got": "through"})
        self.assertEqual(self.ran_first(), 1)
        [row] = self.ok("--json", "runs").json_lines()
        self.assertEqual((row["run"], row["status"]), (run, "succeeded"))

    def test_by_kill_9_can_be_resumed(self):
        process = self.process("--json", "run", self.path, "--input", f"place={self.work}")
        run = json.loads(process.line_with('"accepted"'))["run"]
        with open(self.work / "pipe", "w"):  # opens when `wait` reads it: that one, and not the next
            [node] = self.started_nodes()
            os.kill(node, signal.SIGKILL)
            process.signal(signal.SIGKILL)
            process.wait()
            (self.work / "pipe").unlink()
            os.mkfifo(self.work / "pipe")
        summary = self.finish("--resume", run)
        self.assertEqual(summary["outputs"], {"got": "through"})
        self.assertEqual(self.ran_first(), 1)
        out = self.ok("runs", "show", run).out
        self.assertIn("taken up       1 time", out)

    def test_on_a_terminal_says_that_it_is_cancelling(self):
        terminal = self.terminal("run", self.path, "--input", f"place={self.work}")
        terminal.wait_for("◆")
        terminal.press_ctrl_c()
        self.assertEqual(terminal.wait(), CANCELLED)
        self.assertIn("cancelled", terminal.text)
        self.assertIn("--resume", terminal.text)

    def test_by_a_second_ctrl_c_leaves_also_when_the_node_is_stuck(self):
        node = self.node()
        process = self.process("run", self.path, "--input", f"place={self.work}")
        process.line_with("first: done")
        node.signal(signal.SIGSTOP)  # so that cancelling takes as long as the test wants
        process.signal(signal.SIGINT)
        process.line_with("cancelling; Ctrl-C again kills what runs, and leaves")
        self.assertTrue(process.alive())
        self.assertEqual(process.stop(signal.SIGINT), CANCELLED)
        self.assertRegex(process.err(), r"^symphony: left without waiting for the end; `symphony "
                                        r"run --resume [0-9a-f-]{36}` takes the run up again\n$")
        node.signal(signal.SIGCONT)
        self.until("the run is cancelled all the same",
                   lambda: self.ok("--json", "runs").json_lines()[0]["status"] == "cancelled")
        self.assertEqual(node.stop(), OK)

    def test_of_an_attached_run_leaves_the_node_running(self):
        node = self.node()
        process = self.process("--json", "run", self.path, "--input", f"place={self.work}")
        while json.loads(process.line_with('"wait"'))["kind"] != "nodeStarted":
            pass
        self.assertEqual(process.stop(signal.SIGINT), CANCELLED)
        self.ok("describe", "/orchestration/engine")
        self.assertEqual(node.stop(), OK)

    def test_other_commands_reach_the_node_of_a_run(self):
        process = self.process("--json", "run", self.path, "--input", f"place={self.work}")
        while json.loads(process.line_with('"wait"'))["kind"] != "nodeStarted":
            pass
        out = self.ok("describe", "/orchestration/engine").out
        self.assertIn("1 run under way", out)
        [row] = self.ok("--json", "runs").json_lines()
        self.assertEqual(row["status"], "running")
        self.assertIn("cancel it first", self.fails(FAILED, "runs", "rm", row["run"]).err)
        self.assertEqual(process.stop(signal.SIGINT), CANCELLED)

    def test_by_another_command_is_cancelled_and_can_be_resumed(self):
        process = self.process("--json", "run", self.path, "--input", f"place={self.work}")
        run = json.loads(process.line_with('"accepted"'))["run"]
        while json.loads(process.line_with('"wait"'))["kind"] != "nodeStarted":
            pass
        self.assertEqual(self.ok("runs", "cancel", run[:-4]).out, f"{run}  cancelled\n")
        self.assertEqual(process.wait(), CANCELLED)
        self.assertEqual(self.finish("--resume", run)["outputs"], {"got": "through"})
        self.assertEqual(self.ok("runs", "cancel", run).out, f"{run}  succeeded\n")
        self.assertIn("0192abcd", self.fails(FAILED, "runs", "cancel", "0192abcd").err)

    def test_and_resumed_once_too_often_says_that_nothing_is_left(self):
        lines = self.ok("--json", "run", self.melody(QUICK), "--input", "word=x").json_lines()
        [run] = {line["run"] for line in lines if "run" in line}
        out = self.ok("run", "--resume", run).out
        self.assertIn("succeeded already", out)


class Runs(harness.CommandTest):
    def test_are_removed_with_what_they_printed(self):
        for word in ("one", "two"):
            self.ok("run", self.melody(QUICK), "--input", f"word={word}")
        two, one = [row["run"] for row in self.ok("--json", "runs").json_lines()]
        self.assertEqual(self.ok("runs", "rm", one).out, f"{one}  removed\n")
        self.assertEqual([row["run"] for row in self.ok("--json", "runs").json_lines()], [two])
        for command in (("show", one), ("logs", one), ("rm", one)):
            self.assertIn(one, self.fails(FAILED, "runs", *command).err)
        [line] = self.ok("--json", "runs", "rm", two[:-4]).json_lines()
        self.assertEqual(line, {"run": two, "status": "removed"})
        self.assertIn("no runs", self.ok("runs").out)

    def test_are_listed_and_shown_node_by_node(self):
        self.assertIn("no runs", self.ok("runs").out)
        lines = self.ok("--json", "run", self.melody(QUICK), "--input", "word=x").json_lines()
        run = lines[0]["run"]
        out = self.ok("runs").out
        self.assertRegex(out, rf"{run}\s+quick\s+succeeded")
        out = self.ok("runs", "show", run).out
        self.assertRegex(out, r"say\s+◆\s+done")
        self.assertNotIn("\neach[1]", out)
        out = self.ok("runs", "show", run, "--children").out
        self.assertIn("\neach[1]", out)
        [shown] = self.ok("--json", "runs", "show", run).json_lines()
        self.assertEqual(len(shown["nodes"]), 5)

    def test_are_followed_as_they_begin_and_end(self):
        self.node()
        first = self.ok("--json", "run", self.melody(QUICK), "--input", "word=x").json_lines()
        feed = self.process("--json", "runs", "--follow")
        second = self.command("--json", "run", self.melody(FAILING)).json_lines()
        changes = [json.loads(feed.line()) for _ in range(4)]
        self.assertEqual([(change["run"], change["melody"], change["status"])
                          for change in changes],
                         [(first[0]["run"], "quick", "running"),
                          (first[0]["run"], "quick", "succeeded"),
                          (second[0]["run"], "failing", "running"),
                          (second[0]["run"], "failing", "failed")])
        self.assertEqual([change["sequence"] for change in changes], [1, 2, 3, 4])
        self.assertEqual(feed.stop(signal.SIGTERM), 143)

    def test_that_are_over_are_not_watched(self):
        run = self.ok("--json", "run", self.melody(QUICK), "-i", "word=x").json_lines()[0]["run"]
        self.until_no_node()
        err = self.fails(FAILED, "runs", "watch", run).err
        self.assertIn(f"symphony runs show {run}", err)

    def test_that_failed_show_why(self):
        self.fails(FAILED, "run", self.melody(FAILING))
        [row] = self.ok("--json", "runs").json_lines()
        out = self.ok("runs", "show", row["run"]).out
        self.assertRegex(out, r"bad: .*exit code 1")


if __name__ == "__main__":
    harness.main()
