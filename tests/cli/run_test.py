"""symphony run and symphony runs: alone, attached, on a terminal, in a pipe, cut short and resumed."""

import json
import os
import re
import signal
import unittest

from support import CommandTest

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


class Quick(CommandTest):
    def test_prints_a_line_for_what_matters_and_a_summary(self):
        out, err = self.symphony("run", self.melody(QUICK), "--input", "word=hello, world")
        self.assertIn("each: 3 to do", out)
        self.assertIn("say: done in", out)
        self.assertIn("✓ quick succeeded in", out)
        self.assertIn("critical path", out)
        self.assertRegex(out, r"said\s+hello, world")
        self.assertNotIn("\x1b", out)
        self.assertEqual(err, "")

    def test_prints_json_lines_for_programs(self):
        lines = self.json_lines("run", self.melody(QUICK), "--input", "word=hi")
        self.assertEqual(lines[0]["kind"], "accepted")
        self.assertTrue(lines[0]["embedded"])
        self.assertEqual(lines[-1]["kind"], "summary")
        self.assertEqual(lines[-1]["status"], "succeeded")
        self.assertEqual(lines[-1]["outputs"], {"said": "hi"})
        kinds = [line["kind"] for line in lines]
        self.assertEqual(kinds.count("ended"), 1)
        self.assertIn("nodeDone", kinds)

    def test_runs_melodies_whose_path_is_odd(self):
        self.symphony("run", self.melody(QUICK, "it's a\n\"melody\".toml"), "--input", "word=x")

    def test_attaches_to_the_node_that_runs(self):
        node = self.start_node()
        lines = self.json_lines("run", self.melody(QUICK), "--input", "word=x")
        self.assertFalse(lines[0]["embedded"])
        self.assertEqual(self.stop(node), 0)

    def test_may_be_left_to_the_node(self):
        self.start_node()
        out, _ = self.symphony("run", self.melody(QUICK), "--input", "word=x", "--detach")
        run = out.strip()
        self.assertRegex(run, r"^[0-9a-f-]{36}$")
        out, _ = self.symphony("runs")
        self.assertIn(run, out)

    def test_is_not_left_to_a_node_that_does_not_run(self):
        self.symphony("run", self.melody(QUICK), "--input", "word=x", "--detach", exit_code=3)

    def test_draws_on_a_terminal_and_leaves_the_cursor_visible(self):
        terminal = self.terminal("run", self.melody(QUICK), "--input", "word=x", columns=90)
        self.assertEqual(terminal.wait(), 0)
        self.assertIn("\x1b[?25l", terminal.text)
        self.assertEqual(terminal.text.rfind("\x1b[?25h") > terminal.text.rfind("\x1b[?25l"), True)
        self.assertRegex(terminal.text, r"✓.*each")
        self.assertIn("3/3", terminal.text)
        self.assertIn("succeeded", terminal.text)

    def test_prints_lines_on_a_terminal_that_cannot_redraw(self):
        terminal_environment = dict(self.environment)
        self.environment["TERM"] = "dumb"
        out, _ = self.symphony("run", self.melody(QUICK), "--input", "word=x")
        self.assertIn("say: done in", out)
        self.environment = terminal_environment


class Bad(CommandTest):
    def test_melodies_are_told_line_by_line_with_2(self):
        path = self.melody(QUICK.replace("process.run", "process.rum").replace("${item}", "${itme}"))
        _, err = self.symphony("run", path, "--input", "word=x", exit_code=2)
        self.assertEqual(len(re.findall(rf"^{re.escape(str(path))}:\d+:", err, re.M)), 3, err)
        self.assertIn("process.run", err)

    def test_inputs_are_told_all_at_once_with_2(self):
        _, err = self.symphony("run", self.melody(QUICK), "--input", "wrd=x", "--input",
                               "times=many", exit_code=2)
        for word in ("wrd", "word", "times"):
            self.assertIn(word, err)
        _, err = self.symphony("run", self.melody(QUICK), "--input", "word", exit_code=2)
        self.assertIn("word", err)

    def test_files_are_told_with_2(self):
        self.symphony("run", "missing.toml", exit_code=2)
        self.symphony("run", ".", exit_code=2)
        (self.work / "latin.toml").write_bytes(b'name = "caf\xe9"\n')
        _, err = self.symphony("run", "latin.toml", exit_code=2)
        self.assertIn("latin.toml:1", err)

    def test_use_is_told_with_2(self):
        self.symphony("run", exit_code=2)
        self.symphony("run", "a.toml", "--resume", "0192", exit_code=2)

    def test_runs_that_do_not_exist_are_told(self):
        _, err = self.symphony("run", "--resume", "0192abcd", exit_code=2)
        self.assertIn("0192abcd", err)

    def test_work_is_told_with_1(self):
        out, _ = self.symphony("run", self.melody(FAILING), exit_code=1)
        self.assertIn("bad: failed after", out)
        self.assertIn("✗ failing failed", out)
        self.assertIn("--resume", out)


class CutShort(CommandTest):
    def setUp(self):
        super().setUp()
        os.mkfifo(self.work / "pipe")
        self.path = self.melody(WAITING)

    def ran_first(self):
        return (self.work / "first.log").read_text().count("ran")

    def finish(self, *arguments):
        """Resumes, lets `wait` end, and returns the summary."""
        resumed = self.start("--json", "run", *arguments)
        with open(self.work / "pipe", "w") as pipe:  # opens when `wait` reads it
            pipe.write("through")
        summary = json.loads(self.line_of(resumed, '"summary"'))
        self.assertEqual(resumed.wait(60), 0)
        return summary

    def test_by_ctrl_c_exits_with_130_and_repeats_nothing_that_is_done(self):
        process = self.start("--json", "run", self.path, "--input", f"place={self.work}")
        run = json.loads(self.line_of(process, '"accepted"'))["run"]
        self.line_of(process, '"first"')
        while True:
            event = json.loads(self.line_of(process, '"wait"'))
            if event["kind"] == "nodeStarted":
                break
        self.assertEqual(self.stop(process, signal.SIGINT), 130)
        summary = self.finish("--resume", run[:-4], "--again")
        self.assertEqual(summary["outputs"], {"got": "through"})
        self.assertEqual(self.ran_first(), 1)
        [row] = self.json_lines("runs")
        self.assertEqual((row["run"], row["status"]), (run, "succeeded"))

    def test_by_kill_9_can_be_resumed(self):
        process = self.start("--json", "run", self.path, "--input", f"place={self.work}")
        run = json.loads(self.line_of(process, '"accepted"'))["run"]
        with open(self.work / "pipe", "w"):  # opens when `wait` reads it; its end ends the orphan
            process.send_signal(signal.SIGKILL)
            process.wait(60)
        (self.work / "pipe").unlink()  # the orphan may not have closed it yet
        os.mkfifo(self.work / "pipe")
        summary = self.finish("--resume", run)
        self.assertEqual(summary["outputs"], {"got": "through"})
        self.assertEqual(self.ran_first(), 1)
        out, _ = self.symphony("runs", "show", run)
        self.assertIn("taken up       1 time", out)

    def test_on_a_terminal_says_that_it_is_cancelling(self):
        terminal = self.terminal("run", self.path, "--input", f"place={self.work}")
        terminal.wait_for("◆")
        terminal.press_ctrl_c()
        self.assertEqual(terminal.wait(), 130)
        self.assertIn("cancelled", terminal.text)
        self.assertIn("--resume", terminal.text)

    def test_of_an_attached_run_leaves_the_node_running(self):
        node = self.start_node()
        process = self.start("--json", "run", self.path, "--input", f"place={self.work}")
        while json.loads(self.line_of(process, '"wait"'))["kind"] != "nodeStarted":
            pass
        self.assertEqual(self.stop(process, signal.SIGINT), 130)
        self.symphony("describe", "/orchestration/engine")
        self.assertEqual(self.stop(node), 0)

    def test_other_commands_reach_the_node_inside_of_a_run(self):
        process = self.start("--json", "run", self.path, "--input", f"place={self.work}")
        while json.loads(self.line_of(process, '"wait"'))["kind"] != "nodeStarted":
            pass
        out, _ = self.symphony("describe", "/orchestration/engine")
        self.assertIn("1 run under way", out)
        [row] = self.json_lines("runs")
        self.assertEqual(row["status"], "running")
        self.assertEqual(self.stop(process, signal.SIGINT), 130)


    def test_and_resumed_once_too_often_says_that_nothing_is_left(self):
        [run] = {line["run"] for line in self.json_lines(
            "run", self.melody(QUICK, "quick.toml"), "--input", "word=x") if "run" in line}
        out, _ = self.symphony("run", "--resume", run)
        self.assertIn("succeeded already", out)


class Runs(CommandTest):
    def test_are_listed_and_shown_node_by_node(self):
        self.assertIn("no runs", self.symphony("runs")[0])
        lines = self.json_lines("run", self.melody(QUICK), "--input", "word=x")
        run = lines[0]["run"]
        out, _ = self.symphony("runs")
        self.assertRegex(out, rf"{run}\s+quick\s+succeeded")
        out, _ = self.symphony("runs", "show", run)
        self.assertRegex(out, r"say\s+◆\s+done")
        self.assertNotIn("\neach[1]", out)
        out, _ = self.symphony("runs", "show", run, "--children")
        self.assertIn("\neach[1]", out)
        [shown] = self.json_lines("runs", "show", run)
        self.assertEqual(len(shown["nodes"]), 5)

    def test_that_failed_show_why(self):
        self.symphony("run", self.melody(FAILING), exit_code=1)
        [row] = self.json_lines("runs")
        out, _ = self.symphony("runs", "show", row["run"])
        self.assertRegex(out, r"bad: .*exit code 1")


if __name__ == "__main__":
    unittest.main()
