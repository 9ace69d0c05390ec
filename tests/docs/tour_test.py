"""Takes the tour of the README: runs each of its commands, in order, and compares what it prints.

    tour_test.py BIN_DIR

In a block marked `console`, a line that begins with "$ " is a command and the lines below it are
some of the lines it prints, in order ("…" stands for anything, runs of blanks are alike). A command
that ends in "&" goes on in the background; one that ends in "# Ctrl-C" is interrupted once it has
printed what is shown. All others must exit with 0, unless the comment "# exit N" says otherwise.
"""

import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import unittest

from pages import ROOT, fences

BIN_DIR = pathlib.Path(sys.argv[1]).resolve()
PATIENCE_S = 120


def steps(page):
    """(command, expected lines) of every console block."""
    for _, language, lines in fences(page):
        if language != "console":
            continue
        command, expected = None, []
        for line in lines:
            if line.startswith("$ "):
                if command:
                    yield command, expected
                command, expected = line[2:], []
            elif line.strip() not in ("", "…"):
                expected.append(line)
        if command:
            yield command, expected


def pattern_of(line):
    parts = [r"\s+".join(re.escape(word) for word in part.split(" ") if word)
             for part in re.sub(r"\s+", " ", line.strip()).split("…")]
    return re.compile(r"\s*.*\s*".join(parts))


class Output:
    """What a process prints, watched for lines in order."""

    def __init__(self, process):
        self.text, self.ended, self.changed = "", False, threading.Condition()
        self.thread = threading.Thread(target=self.read, args=(process.stdout,), daemon=True)
        self.thread.start()

    def read(self, stream):
        for line in stream:
            with self.changed:
                self.text += line
                self.changed.notify_all()
        stream.close()
        with self.changed:
            self.ended = True
            self.changed.notify_all()

    def missing(self, expected):
        """The first expected line that is not there yet, or None."""
        lines, at = self.text.splitlines(), 0
        for wanted in expected:
            pattern = pattern_of(wanted)
            while at < len(lines) and not pattern.search(lines[at]):
                at += 1
            if at == len(lines):
                return wanted
            at += 1
        return None

    def wait_for(self, expected):
        with self.changed:
            self.changed.wait_for(lambda: self.ended or self.missing(expected) is None, PATIENCE_S)
            return self.missing(expected)


class Tour(unittest.TestCase):
    def setUp(self):
        self.place = pathlib.Path(tempfile.mkdtemp(prefix="symphony-tour-"))
        self.addCleanup(shutil.rmtree, self.place, ignore_errors=True)
        self.work = self.place / "work"
        for name in ("config", "docs", "messages"):
            shutil.copytree(ROOT / name, self.work / name)
        shutil.copy(ROOT / "README.md", self.work)
        self.environment = {k: v for k, v in os.environ.items()
                            if not k.startswith(("SYMPHONY_", "XDG_"))}
        for name in ("runtime", "data", "cache"):
            (self.place / name).mkdir(mode=0o700)
        self.environment.update(
            PATH=f"{BIN_DIR}:{os.environ['PATH']}", HOME=str(self.place), LC_ALL="C.UTF-8",
            XDG_RUNTIME_DIR=str(self.place / "runtime"), XDG_DATA_HOME=str(self.place / "data"),
            XDG_CACHE_HOME=str(self.place / "cache"), TZ="UTC")
        self.background, self.nodes = [], []
        self.addCleanup(self.end_background)

    def end_background(self):
        for process in self.background:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def start(self, command):
        return subprocess.Popen(["bash", "-c", command], stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True, cwd=self.work,
                                env=self.environment, start_new_session=True)

    def take(self, command, expected):
        comment = re.search(r"\s+#\s*(.*)$", command)
        note = comment[1] if comment else ""
        line = command[:comment.start()] if comment else command
        stays = line.rstrip().endswith("&")
        process = self.start(f"exec {line.rstrip(' &')}" if stays or "Ctrl-C" in note else line)
        output = Output(process)
        if stays or "Ctrl-C" in note:
            self.background.append(process)
        if stays:
            self.nodes.append(process)
        missing = output.wait_for(expected)
        self.assertIsNone(missing, f"$ {command}\n{output.text}")
        if stays:
            return
        if "Ctrl-C" in note:
            os.killpg(process.pid, signal.SIGINT)
        code = process.wait(PATIENCE_S)
        output.thread.join(PATIENCE_S)
        allowed = {0, 130, -signal.SIGINT} if "Ctrl-C" in note else {0}
        if wanted := re.search(r"exit (\d+)", note):
            allowed = {int(wanted[1])}
        self.assertIn(code, allowed, f"$ {command}\n{output.text}")

    def test_every_command_of_the_readme_does_what_it_shows(self):
        taken = 0
        for command, expected in steps((ROOT / "README.md").read_text()):
            with self.subTest(command=command):
                self.take(command, expected)
            taken += 1
        self.assertGreaterEqual(taken, 15)
        for process in self.nodes:
            self.assertEqual(process.wait(PATIENCE_S), 0)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
