"""What was acknowledged survives kill -9 and power loss, seen from the command line.

A run of repo-report.toml is killed and resumed: the report has to be the very bytes of one that
nobody disturbed. A node is killed, or loses power, while a tree is put: what the command printed
is there, what it did not print is there as a whole or not at all.

Environment: SYMPHONY_KILLS (how many have to cut a run short, and nodes that take a tree),
SYMPHONY_TREE_KILLS and SYMPHONY_POWER_CUTS (to set the latter apart), SYMPHONY_KILL_TREE (a
directory to report on instead of a made one), SYMPHONY_SEED (to repeat a run: every failure prints
it).
"""

import hashlib
import json
import os
import pathlib
import random
import shutil
import signal
import stat
import subprocess
import threading
import time
import unittest

import harness

KILLS = int(os.environ.get("SYMPHONY_KILLS", "4"))
TREE_KILLS = int(os.environ.get("SYMPHONY_TREE_KILLS", KILLS))
POWER_CUTS = int(os.environ.get("SYMPHONY_POWER_CUTS", KILLS))
SEED = int(os.environ.get("SYMPHONY_SEED", str(random.SystemRandom().randrange(1 << 32))))
MELODY = pathlib.Path(__file__).parents[2] / "config/melodies/repo-report.toml"
SHIM = harness.BIN / "libdisk_fault_shim.so"
POWER_LOST = 77
PATIENCE_S = 300  # for a whole run on a machine that is busy
KILLS_OF_A_RUN_MAX = 3
ROUNDS_PER_KILL = 4  # some kills come when there is nobody left
LINES_LEFT_MIN = 10  # of a run that is killed early, for the kills after it


def make_sources(directory, rng, files=240):
    """Sources with copies, notes and headers, and a history if there is git."""
    block = "".join(f"    total += weigh(items[{i}], {i * 7}) if items else {i}\n"
                    for i in range(14))
    for i in range(files):
        kind = rng.choice(["py", "cpp", "md", "toml", "bin"])
        path = directory / f"part {i % 9}" / f"file {i}.{kind}"
        path.parent.mkdir(parents=True, exist_ok=True)
        if kind == "bin":
            path.write_bytes(rng.randbytes(rng.randrange(20_000)))
            continue
        sign = {"py": "#", "cpp": "//", "md": "-", "toml": "#"}[kind]
        lines = [f"{sign} SPDX-License-Identifier: MIT\n"] if rng.random() < 0.5 else []
        lines += [f"{sign} TODO: look at {rng.randrange(99)} again\n"] if i % 5 == 0 else []
        lines += [f"if value_{rng.randrange(50)} > {i}:\n    handle({rng.randrange(1 << 40)})\n"
                  for _ in range(rng.randrange(60))]
        lines += [block] if i % 6 == 0 else []
        path.write_text("".join(lines))
    shutil.copy(directory / "part 0" / "file 0.py" if (directory / "part 0/file 0.py").exists()
                else next(directory.rglob("*.*")), directory / "copy.py")
    (directory / "loop").symlink_to(".")
    if shutil.which("git"):
        make_history(directory, rng)


def make_history(directory, rng):
    git = ["git", "-c", "init.defaultBranch=main", "-c", "commit.gpgsign=false", "-C", directory]
    subprocess.run([*git, "init", "-q"], check=True)
    for i in range(6):
        for path in rng.sample(sorted(directory.glob("part */*.*")), 12) if i else []:
            with open(path, "ab") as file:
                file.write(b"# TODO: one more\n")
        author = f"Author {i % 3}"
        date = f"2024-0{i + 1}-02T10:00:00Z"
        who = {f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in
               (("NAME", author), ("EMAIL", f"{i % 3}@example.org"), ("DATE", date))}
        who["GIT_CONFIG_NOSYSTEM"] = "1"
        who["GIT_CONFIG_GLOBAL"] = "/dev/null"
        subprocess.run([*git, "add", "-A"], check=True, env=os.environ | who)
        subprocess.run([*git, "commit", "-q", "-m", f"Step {i}"], check=True,
                       env=os.environ | who)


def make_tree(directory, rng, files=150):
    for i in range(files):
        path = directory / f"d{i % 7}" / f"file {i}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(rng.randbytes(rng.randrange(3000)) + b"x" * rng.randrange(60_000))
    (directory / "large").write_bytes(rng.randbytes(700_000))  # goes in parts
    (directory / "link").symlink_to("d0")


def contents_of(directory):
    """What makes two trees equal: path -> bytes, target or that it is a directory."""
    found = {}
    for path in sorted(directory.rglob("*")):
        mode = path.lstat().st_mode
        found[str(path.relative_to(directory))] = (
            os.readlink(path) if stat.S_ISLNK(mode) else
            path.read_bytes() if stat.S_ISREG(mode) else None)
    return found


class KillTest(harness.CommandTest):
    def setUp(self):
        super().setUp()
        self.rng = random.Random(f"{SEED} {self.id()}")
        self.data = self.home / "data" / "symphony" / "main"
        self.env["SYMPHONY_ENGINE_MAX_CRASHES"] = "100"  # else a run is given up after three
        self.moment = ""

    def _formatMessage(self, message, standard):
        return super()._formatMessage(f"SYMPHONY_SEED={SEED}, {self.moment}: {message}", standard)

    def lines_until_end(self, process):
        """The whole lines a process still prints; half a line was not said."""
        lines = []
        while True:
            try:
                lines.append(process.line(PATIENCE_S))
            except EOFError:
                return lines

    def kill_at(self, victim, speaker, lines_max, seconds_max):
        """Kills one after so many lines of the other, or at a time; what was said."""
        said = []
        if self.rng.random() < 0.6:
            wanted = self.rng.randrange(lines_max)
            self.moment += f", after {wanted} lines"
            try:
                for _ in range(wanted):
                    said.append(speaker.line(PATIENCE_S))
            except EOFError:
                pass  # it was done before
            seconds_max = 0.005
        seconds = self.rng.uniform(0, seconds_max)
        self.moment += f", after {seconds:.4f} s"
        timer = threading.Timer(seconds, victim.signal, [signal.SIGKILL])
        timer.start()
        said += self.lines_until_end(speaker)
        timer.join()
        victim.wait(PATIENCE_S)
        speaker.wait(PATIENCE_S)
        return said

    def verified(self):
        result = self.command("artifact", "verify")
        self.assertEqual(result.code, harness.OK, result)


class KilledRunTest(KillTest):
    def setUp(self):
        super().setUp()
        self.output = self.home / "report"
        given = os.environ.get("SYMPHONY_KILL_TREE")
        self.tree = pathlib.Path(given) if given else self.home / "tree"
        if not given:
            make_sources(self.tree, self.rng)

    def keep(self, name):
        """A copy of the data, and of what is written of the report, when nobody uses them."""
        self.until_no_node()
        kept = self.home / name
        shutil.copytree(self.data, kept / "data")
        if self.output.exists():
            shutil.copytree(self.output, kept / "report")
        return kept

    def put_back(self, kept):
        self.until_no_node()
        shutil.rmtree(self.data)
        shutil.copytree(kept / "data", self.data)
        shutil.rmtree(self.output, ignore_errors=True)
        if (kept / "report").exists():
            shutil.copytree(kept / "report", self.output)

    def resume(self):
        self.resumed_ns = time.time_ns()
        return self.process("run", "--resume", self.run_id, "--json")

    def done_and_started(self, lines):
        events = [json.loads(line) for line in lines]
        names = lambda kind: {event["node"] for event in events if event.get("kind") == kind}
        # Of a run that went on when its client was killed, the next one hears all again.
        started = {event["node"] for event in events if event.get("kind") == "nodeStarted"
                   and event["timeNs"] > self.resumed_ns}
        return names("nodeDone"), started

    def finish(self):
        """Resumes to the end: the report, and the lines of events."""
        process = self.resume()
        lines = self.lines_until_end(process)
        self.assertEqual(process.wait(), harness.OK, process.err() + "\n".join(lines[-5:]))
        self.verified()
        report = {path.name: path.read_bytes() for path in sorted(self.output.iterdir())}
        self.assertEqual(set(report), {"report.html", "report.md"})
        return report, lines

    def begin(self):
        """Starts runs and kills them until one has much left to do; the data of that one."""
        for i in range(ROUNDS_PER_KILL * KILLS):
            process = self.process("run", MELODY, "--input", f"path={self.tree}",
                                   "--input", f"output={self.output}", "--json")
            self.run_id = json.loads(process.line())["run"]
            self.moment = f"the first kill, {i}"
            self.kill_at(process, process, 6, 0.2)
            kept = self.keep(f"kept {i}")
            self.baseline, lines = self.finish()
            self.lines_max = len(lines)
            summary = json.loads(lines[-1])
            self.seconds_max = max(int(summary.get("elapsedUs", 0)) / 1e6, 0.2) * 1.1
            if self.lines_max >= LINES_LEFT_MIN:
                return kept
            self.until_no_node()
            shutil.rmtree(self.data)
            shutil.rmtree(self.output)
        self.fail("each run was nearly done before it was killed")

    def assert_same_report(self, report, moment):
        for name, content in self.baseline.items():
            if report[name] != content:
                kept = pathlib.Path("/tmp") / f"symphony-kill-{SEED}"
                for kind, bytes_ in (("expected", content), ("found", report[name])):
                    (kept / kind).mkdir(parents=True, exist_ok=True)
                    (kept / kind / name).write_bytes(bytes_)
                self.fail(f"{moment}: {name} differs, see {kept}")

    def kill_and_finish(self, attached):
        """Kills a run now and then, and compares what it comes to."""
        kept = self.begin()
        killed = 0
        for i in range(ROUNDS_PER_KILL * KILLS):
            if killed >= KILLS:
                break
            self.put_back(kept)
            done = set()
            for k in range(self.rng.randrange(1, KILLS_OF_A_RUN_MAX + 1)):
                self.moment = f"run {i}, kill {k}"
                node = self.node() if attached else None
                command = self.resume()
                victim = node if attached and self.rng.random() < 0.7 else command
                # What is left to do gets less each time.
                lines = self.kill_at(victim, command, max(self.lines_max >> k, 4),
                                     self.seconds_max / (k + 1))
                killed += (victim.popen.returncode == -signal.SIGKILL
                           and command.popen.returncode != harness.OK)
                now_done, started = self.done_and_started(lines)
                if not attached:  # what a node does nobody need have watched
                    self.assertEqual(started & done, set(), "done again")
                done |= now_done
                if attached:
                    node.kill()
            self.moment += ", the end"
            node = self.node() if attached else None
            report, lines = self.finish()
            if not attached:
                self.assertEqual(self.done_and_started(lines)[1] & done, set(), "done again")
            self.assert_same_report(report, self.moment)
            if attached:
                node.kill()
        self.assertGreaterEqual(killed, KILLS, "most kills came too late")
        print(f"{killed} kills of {'a node' if attached else 'the command'}: the same report")

    def test_resumed_alone_gives_the_same_report(self):
        self.kill_and_finish(attached=False)

    def test_resumed_on_a_node_gives_the_same_report(self):
        self.kill_and_finish(attached=True)


class KilledPutTest(KillTest):
    def setUp(self):
        super().setUp()
        self.tree = self.home / "tree"
        make_tree(self.tree, self.rng)
        self.digests = set()
        self.versions = {}  # number -> what the tree was
        self.attempts = []  # trees that may have become a version, in order

    def start_over(self):
        """A new disk."""
        shutil.rmtree(self.data, ignore_errors=True)
        self.digests, self.versions, self.attempts = set(), {}, []

    def change(self, i):
        """New content in each round, so that there is always something to write."""
        for k in range(40):
            (self.tree / f"new {k}").write_bytes(self.rng.randbytes(self.rng.randrange(30_000)))
        (self.tree / "round").write_text(str(i))

    def start_put(self, i):
        self.change(i)
        self.attempts.append(contents_of(self.tree))
        return self.process("artifact", "put", "--tree", self.tree, "--name", "tree", "-v",
                            "--json")

    def acknowledged(self, lines):
        """Takes what was printed for granted: the digests and the version of this round."""
        now = []
        for line in lines:
            said = json.loads(line)
            if said.get("kind") == "file":
                now.append(said["digest"])
            else:
                self.versions[said["version"]] = self.attempts[-1]
        self.digests |= set(now)
        return now

    def assert_tree(self, version):
        """It is what was put; which that was is known once it was acknowledged or looked at."""
        out = self.home / "out"
        self.ok("artifact", "get", f"tree@{version}", "-o", out)
        got = contents_of(out)
        shutil.rmtree(out)
        if version in self.versions:
            self.assertEqual(got.keys(), self.versions[version].keys())
            self.assertTrue(got == self.versions[version], "another tree under this version")
        else:
            self.assertTrue(got in self.attempts, f"half a tree as version {version}")
            self.versions[version] = got

    def assert_nothing_lost(self, now, everything):
        """Looks at what was acknowledged last, or at all that ever was."""
        self.verified()
        log = self.command("artifact", "log", "tree", "--all", "--json")
        found = {}
        if log.code == harness.OK:
            for line in log.out.splitlines():
                version = json.loads(line)
                found[version["version"]] = version
        self.assertLessEqual(set(self.versions), set(found), f"lost a version\n{log}")
        newest = max(found, default=0)
        self.assertEqual(set(found), set(range(1, newest + 1)))
        trees = sorted(found) if everything else [newest] if newest else []
        digests = self.digests if everything else set(now[-8:])
        for version in trees:  # a version is one whole tree: one that was put
            self.assert_tree(version)
            digests = digests - {hashlib.sha256(content).hexdigest()
                                 for content in self.versions[version].values()
                                 if isinstance(content, bytes)}
        for digest in sorted(digests):  # acknowledged, and in no tree
            self.ok("artifact", "get", f"sha256:{digest}", "-o", self.home / "content")

    def test_survives_kill_9_of_the_node(self):
        killed = 0
        for i in range(TREE_KILLS):
            if i % 10 == 0:
                self.start_over()
            self.moment = f"kill {i}"
            node = self.node()
            command = self.start_put(i)
            now = self.acknowledged(self.kill_at(node, command, 200, 0.5))
            killed += 1
            node = self.node()
            self.assert_nothing_lost(now, i % 10 == 9 or i == TREE_KILLS - 1)
            node.kill()
        print(f"{killed} kills: nothing lost")

    @unittest.skipUnless(SHIM.exists(), "built without the disk fault shim")
    def test_survives_power_loss_of_the_node(self):
        cuts = 0
        for i in range(ROUNDS_PER_KILL * POWER_CUTS):
            if cuts >= POWER_CUTS:
                break
            if i % 5 == 0:
                self.start_over()
            kind = self.rng.choice(["WRITE", "SYNC"])
            at = self.rng.randrange(1, {"WRITE": 200, "SYNC": 20}[kind])  # six trees, about
            self.moment = f"cut {i} at {kind.lower()} {at}"
            lines = []
            node = self.process("node", env={
                "LD_PRELOAD": str(SHIM), "DISK_FAULT_DIR": str(self.data),
                "DISK_FAULT_SEED": str(SEED + i), f"DISK_FAULT_AT_{kind}": str(at)})
            try:
                node.line()
                for k in range(6):  # until the power goes
                    command = self.start_put(i * 10 + k)
                    lines = self.lines_until_end(command)
                    code = command.wait()
                    now = self.acknowledged(lines)
                    if code != harness.OK:
                        break
            except EOFError:
                now = []  # not even ready
            else:
                if code == harness.OK:
                    node.signal(signal.SIGKILL)
            self.assertIn(node.wait(), (POWER_LOST, -signal.SIGKILL), node.err())
            cuts += node.popen.returncode == POWER_LOST
            self.lines_until_end(node)  # the disk is in its final state at the end of output
            node = self.node()
            self.assert_nothing_lost(now, i % 5 == 4)
            node.kill()
        self.assertGreaterEqual(cuts, POWER_CUTS, "most cuts were set too late")
        print(f"{cuts} power cuts: nothing lost")


if __name__ == "__main__":
    harness.main()
