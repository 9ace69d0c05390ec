"""Programs that runs start: they end with whoever started them, and what they print is kept.

Environment: SYMPHONY_KILLS (how many kills at random moments), SYMPHONY_SEED (to repeat them).
"""

import json
import os
import pathlib
import random
import signal
import time

import harness
from harness import FAILED, OK, USAGE

KILLS = int(os.environ.get("SYMPHONY_KILLS", "4"))
SEED = int(os.environ.get("SYMPHONY_SEED", str(random.SystemRandom().randrange(1 << 32))))


def one_node(script, more=""):
    return f"""
name = "one"
version = "1"
[nodes.p]
use = "process.run"
{more}
with = {{ command = ["sh", "-c", {json.dumps(script)}] }}
"""


def processes_with(token):
    """The processes that have the token in their command line, and are no zombies."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if token.encode() in (entry / "cmdline").read_bytes():
                    found.append(int(entry.name))
            except OSError:
                pass  # it has ended meanwhile
    return found


def parent_of(pid):
    return int((pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2]).split()[1])


class Programs(harness.CommandTest):
    def test_that_ask_on_the_terminal_fail_at_once(self):
        terminal = self.terminal("run", self.melody(one_node("read answer < /dev/tty")))
        self.assertEqual(terminal.wait(), FAILED)
        self.assertIn("/dev/tty", terminal.text)

    def test_that_failed_show_whole_lines_of_what_they_said(self):
        script = "echo 'main.c:3: error: no such thing' >&2; seq 2000 >&2; echo gave up >&2; exit 1"
        out = self.fails(FAILED, "run", self.melody(one_node(script))).out
        self.assertRegex(out, r"(?m)^    main\.c:3: error: no such thing$")
        self.assertRegex(out, r"(?m)^    gave up( \(nodes\.p\))?$")
        self.assertRegex(out, r"p: failed after .*exit code 1: main\.c:3: error")
        [row] = self.ok("--json", "runs").json_lines()
        out = self.ok("runs", "show", row["run"]).out
        self.assertRegex(out, r"(?m)^    gave up( \(nodes\.p\))?$")
        self.assertIn("bytes left out", out)

    def test_leave_nobody_behind_when_their_node_is_killed(self):
        token = f"3600.{os.getpid()}{random.randrange(1 << 30)}"
        node = self.node()
        path = self.melody(one_node(f"setsid sleep {token} & trap '' TERM; sleep {token}; sleep 9"))
        self.ok("run", path, "--detach")
        self.until("both are there", lambda: len(processes_with(token)) >= 2)
        node.signal(signal.SIGKILL)
        node.wait()
        killed = time.monotonic()
        self.until("none is left", lambda: not processes_with(token))
        self.assertLess(time.monotonic() - killed, 2.5)  # and what it takes to look


class Killed(harness.CommandTest):
    """Whoever is killed when: no second copy ever runs beside the first."""

    def setUp(self):
        super().setUp()
        self.env["SYMPHONY_ENGINE_MAX_CRASHES"] = "100"
        self.rng = random.Random(f"{SEED} {self.id()}")
        self.token = f"3600.{os.getpid()}{self.rng.randrange(1 << 30)}"
        self.addCleanup(self.kill_all)

    def kill_all(self):
        for pid in processes_with(self.token):
            os.kill(pid, signal.SIGKILL)

    def running(self):
        """The copy that was started last, if it lives."""
        path = self.work / "starts"
        started = path.read_text().split() if path.exists() else []
        living = processes_with(self.token)
        return int(started[-1]) if started and int(started[-1]) in living else None

    def kill_somebody(self, program, node):
        """Kills one or two of those who watch over the program; the node that is there then."""
        victim = self.rng.choice(["node", "launcher", "fork server", "node and launcher"])
        time.sleep(self.rng.random() * 0.05)  # a moment like any other
        try:
            launcher = parent_of(program)
            server = parent_of(launcher)
        except OSError:
            return node  # it has just ended by itself
        if "launcher" in victim:
            os.kill(launcher, signal.SIGKILL)
        if victim == "fork server":
            os.kill(server, signal.SIGKILL)
        if "node" not in victim:
            return node
        node.signal(signal.SIGKILL)
        node.wait()
        return self.node()

    def test_programs_never_run_twice_at_once(self):
        # Whoever descends from the program holds the lock: the next copy would find it taken.
        script = (f"exec 9>{self.work}/lock; flock -n 9 || echo overlap >> {self.work}/overlaps;"
                  f"setsid sleep {self.token} & (setsid sleep {self.token} &) ;"
                  f"echo $$ >> {self.work}/starts;"
                  f"while [ ! -e {self.work}/go ]; do sleep 0.05; done")
        retry = "retry = { attempts = 1000, backoff_ms = 1, max_backoff_ms = 1 }"
        node = self.node()
        run = self.ok("run", self.melody(one_node(script, retry)), "--detach").out.strip()
        killed = None
        for kill in range(KILLS):
            killed = self.until(f"another copy runs, SYMPHONY_SEED={SEED}, kill {kill}",
                                lambda: self.running() not in (None, killed) and self.running())
            node = self.kill_somebody(killed, node)
        (self.work / "go").touch()
        self.until(f"the run ends, SYMPHONY_SEED={SEED}", lambda: [
            row for row in self.ok("--json", "runs").json_lines()
            if row["run"] == run and row["status"] == "succeeded"])
        self.assertFalse((self.work / "overlaps").exists(), f"SYMPHONY_SEED={SEED}")
        self.assertEqual(processes_with(self.token), [], f"SYMPHONY_SEED={SEED}")
        self.assertEqual(node.stop(), OK)


class Logs(harness.CommandTest):
    def run_of(self, *arguments, code=OK):
        lines = self.fails(code, "--json", "run", *arguments).json_lines()
        return lines[0]["run"]

    def test_keep_what_was_printed_also_of_a_node_that_failed(self):
        run = self.run_of(self.melody(one_node("echo out; echo err >&2; exit 1")), code=FAILED)
        out = self.ok("runs", "logs", run).out
        self.assertEqual(sorted(out.splitlines()), ["p | err", "p | out"])
        self.assertEqual(sorted(self.ok("runs", "logs", run[:-4], "p").out.splitlines()),
                         ["err", "out"])
        pieces = self.ok("--json", "runs", "logs", run).json_lines()
        self.assertEqual({(piece["node"], piece["stream"], piece["text"]) for piece in pieces},
                         {("p", "stdout", "out\n"), ("p", "stderr", "err\n")})

    def test_keep_the_end_of_a_long_output_and_say_what_was_cut(self):
        run = self.run_of(self.melody(one_node("seq 200000")))
        out = self.ok("runs", "logs", run, "p").out
        self.assertRegex(out, r"^\[\.\.\. \d+ bytes were cut \.\.\.\]\n")
        self.assertTrue(out.endswith("\n199999\n200000\n"))
        self.assertLess(len(out), 300_000)

    def test_follow_a_run_until_it_ends(self):
        self.node()
        path = self.melody(one_node("echo begun; while [ ! -e go ]; do sleep 0.02; done; echo over",
                                    ).replace("with = {", f'with = {{ directory = "{self.work}",'))
        run = self.ok("run", path, "--detach").out.strip()
        following = self.process("runs", "logs", run, "-f")
        self.assertEqual(following.line(), "p | begun")
        self.assertTrue(following.alive())
        (self.work / "go").touch()
        self.assertEqual(following.line(), "p | over")
        self.assertEqual(following.wait(), OK)

    def test_tell_of_nodes_that_are_not_there_or_silent(self):
        run = self.run_of(self.melody(one_node("true")))
        self.assertIn("has printed", self.ok("runs", "logs", run).err)
        self.assertIn("has printed", self.ok("runs", "logs", run, "p").err)
        self.assertIn("no node q", self.fails(USAGE, "runs", "logs", run, "q").err)
        self.assertIn("no run has the id", self.fails(FAILED, "runs", "logs", "0192abcd").err)


if __name__ == "__main__":
    harness.main()
