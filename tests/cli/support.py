"""What the tests of the command share: a place of their own for each node, and waiting for output.

Nothing sleeps: whoever waits, waits for a line, an exit or a condition, with a deadline.
"""

import json
import os
import pathlib
import pty
import select
import shutil
import signal
import struct
import subprocess
import tempfile
import termios
import fcntl
import time
import unittest

BINARY = pathlib.Path(os.environ["SYMPHONY_BIN"]) / "symphony"
SOURCE = pathlib.Path(__file__).resolve().parents[2]
PATIENCE_S = 60  # far more than anything takes, even under sanitizers


class Terminal:
    """A command on a pseudo-terminal; `text` is all it wrote so far."""

    def __init__(self, arguments, environment, directory, columns=100, rows=30):
        self.text = ""
        parent, child = pty.openpty()
        fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.process = subprocess.Popen(
            [str(BINARY), *arguments], stdin=child, stdout=child, stderr=child,
            env={**environment, "TERM": "xterm"}, cwd=directory, start_new_session=True)
        os.close(child)
        self.file = parent

    def read_some(self, deadline):
        ready, _, _ = select.select([self.file], [], [], max(deadline - time.monotonic(), 0))
        if not ready:
            raise TimeoutError(f"nothing more came after {self.text!r}")
        try:
            data = os.read(self.file, 65536)
        except OSError:  # the other end is closed
            data = b""
        self.text += data.decode()
        return bool(data)

    def wait_for(self, wanted):
        deadline = time.monotonic() + PATIENCE_S
        while wanted not in self.text:
            if not self.read_some(deadline):
                raise AssertionError(f"{wanted!r} never came: {self.text!r}")

    def wait(self):
        """The exit code, when all output was read."""
        deadline = time.monotonic() + PATIENCE_S
        while self.read_some(deadline):
            pass
        os.close(self.file)
        return self.process.wait(PATIENCE_S)

    def press_ctrl_c(self):
        self.process.send_signal(signal.SIGINT)


class CommandTest(unittest.TestCase):
    """A test with directories of its own, removed afterwards, and no node yet."""

    def setUp(self):
        self.place = pathlib.Path(tempfile.mkdtemp(prefix="symphony-cli-"))
        self.addCleanup(shutil.rmtree, self.place, ignore_errors=True)
        self.work = self.place / "work"
        self.environment = {k: v for k, v in os.environ.items()
                            if not k.startswith(("SYMPHONY_", "XDG_"))}
        for name in ("runtime", "data", "cache", "state", "config", "work"):
            (self.place / name).mkdir(mode=0o700)
        self.environment.update(
            XDG_RUNTIME_DIR=str(self.place / "runtime"), XDG_DATA_HOME=str(self.place / "data"),
            XDG_CACHE_HOME=str(self.place / "cache"), XDG_STATE_HOME=str(self.place / "state"),
            XDG_CONFIG_HOME=str(self.place / "config"), HOME=str(self.place), LC_ALL="C.UTF-8")

    def symphony(self, *arguments, stdin=b"", exit_code=0):
        """Runs a command to its end: its standard output and standard error as text."""
        done = subprocess.run([str(BINARY), *map(os.fspath, arguments)], input=stdin,
                              capture_output=True, env=self.environment, cwd=self.work,
                              timeout=PATIENCE_S)
        out, err = done.stdout.decode(errors="surrogateescape"), done.stderr.decode()
        self.assertEqual(done.returncode, exit_code, f"{arguments}: {out}{err}")
        return out, err

    def json_lines(self, *arguments, **options):
        out, _ = self.symphony("--json", *arguments, **options)
        return [json.loads(line) for line in out.splitlines()]

    def start(self, *arguments):
        """Starts a command; its output is read line by line with `line_of`."""
        process = subprocess.Popen([str(BINARY), *map(os.fspath, arguments)],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0,
                                   env=self.environment, cwd=self.work)
        process.unread, process.seen = b"", []

        def end():
            if process.poll() is None:
                process.kill()
            process.wait()
            process.stdout.close()
            process.stderr.close()

        self.addCleanup(end)
        return process

    def line_of(self, process, wanted):
        """Waits for a line on standard output that holds `wanted`."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            while b"\n" in process.unread:
                line, process.unread = process.unread.split(b"\n", 1)
                process.seen.append(line.decode())
                if wanted in process.seen[-1]:
                    return process.seen[-1]
            ready, _, _ = select.select([process.stdout], [], [],
                                        max(deadline - time.monotonic(), 0))
            data = os.read(process.stdout.fileno(), 65536) if ready else b""
            if not data:
                self.fail(f"{wanted!r} never came: {process.seen}")
            process.unread += data

    def start_node(self):
        node = self.start("node")
        self.line_of(node, "is ready")
        return node

    def stop(self, process, signal_number=signal.SIGTERM):
        process.send_signal(signal_number)
        return process.wait(PATIENCE_S)

    def terminal(self, *arguments, **size):
        terminal = Terminal([os.fspath(a) for a in arguments], self.environment, self.work, **size)

        def end():
            if terminal.process.poll() is None:
                terminal.process.kill()
                terminal.process.wait()

        self.addCleanup(end)
        return terminal

    def melody(self, text, name="melody.toml"):
        path = self.work / name
        path.write_text(text)
        return path
