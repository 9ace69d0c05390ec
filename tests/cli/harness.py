"""Nodes and commands as processes, for tests that use them as people do.

Every test has a home of its own (XDG directories with short paths, since the path of a socket is
limited), so tests may run beside each other. Nothing here sleeps: what is waited for is read with
a deadline, polled from the kernel, or asked for again until a deadline. Whatever a test started is
killed at its end, and by the kernel should the test itself be killed; nodes that commands started
end by themselves then.
"""

import contextlib
import ctypes
import fcntl
import json
import os
import pathlib
import pty
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import time
import unittest

SOURCE = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("SYMPHONY_BIN", SOURCE / "build/bin")).resolve()
SYMPHONY = str(BIN / "symphony")
PROBED = str(BIN / "symphony_probed")
PATIENCE_S = 60  # for what should take milliseconds, on a machine that is busy

OK, FAILED, USAGE, NO_NODE, NAME_TAKEN, BOOT_FAILED, ESCALATED, STOP_TIMED_OUT, WORKERS_LOST = \
    range(9)
CANCELLED = 130
LINGER_MS = 300  # of a node that a command started, after its last client

_libc = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1


def _die_with_parent():
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class Result:
    """What a command came to."""

    def __init__(self, arguments, code, out, err):
        self.arguments, self.code, self.out, self.err = arguments, code, out, err

    def json(self):
        return json.loads(self.out)

    def json_lines(self):
        return [json.loads(line) for line in self.out.splitlines()]

    def __str__(self):
        return f"{' '.join(self.arguments)}: exit {self.code}\n{self.out}{self.err}"


class Process:
    """A process whose standard output is read by lines, with deadlines. Errors go to a file."""

    def __init__(self, arguments, env, err_path, cwd):
        self.arguments = arguments
        self.err_path = err_path
        with open(err_path, "wb") as err:
            self.popen = subprocess.Popen(arguments, env=env, cwd=cwd, stdin=subprocess.DEVNULL,
                                          stdout=subprocess.PIPE, stderr=err,
                                          preexec_fn=_die_with_parent)
        self.pid = self.popen.pid
        self.out = self.popen.stdout.fileno()
        self.pidfd = os.pidfd_open(self.pid)
        self.read = b""

    def line(self, within_s=PATIENCE_S):
        """The next line of standard output, without its end."""
        deadline = time.monotonic() + within_s
        while b"\n" not in self.read:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.out], [], [], left)[0]:
                raise TimeoutError(f"no line from {self.arguments}: {self.read!r}\n{self.err()}")
            some = os.read(self.out, 1 << 16)
            if not some:
                raise EOFError(f"{self.arguments} ended: exit {self.wait()}, {self.read!r}\n"
                               f"{self.err()}")
            self.read += some
        line, self.read = self.read.split(b"\n", 1)
        return line.decode()

    def line_with(self, text, within_s=PATIENCE_S):
        deadline = time.monotonic() + within_s
        while True:
            line = self.line(max(deadline - time.monotonic(), 0))
            if text in line:
                return line

    def stop(self, number=signal.SIGTERM):
        """Its exit code after the signal."""
        self.signal(number)
        return self.wait()

    def signal(self, number):
        self.popen.send_signal(number)

    def alive(self):
        return not select.select([self.pidfd], [], [], 0)[0]

    def wait(self, within_s=PATIENCE_S):
        """The exit code; negative for a signal."""
        if not select.select([self.pidfd], [], [], within_s)[0]:
            raise TimeoutError(f"{self.arguments} still runs\n{self.err()}")
        return self.popen.wait()

    def err(self):
        return pathlib.Path(self.err_path).read_text(errors="replace")

    def kill(self):
        if self.popen.stdout.closed:
            return
        with contextlib.suppress(ProcessLookupError):
            self.popen.kill()
        self.popen.wait()
        self.popen.stdout.close()
        os.close(self.pidfd)


class Node(Process):
    """A node that is ready."""

    def wait_until_ready(self):
        line = self.line()
        self.ready_line = line
        return self

    def status(self, key):
        for line in pathlib.Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith(key + ":"):
                return line.split(":", 1)[1].strip()
        raise KeyError(key)


class Terminal:
    """A command on a pseudo-terminal; `text` is all it wrote so far."""

    def __init__(self, arguments, env, cwd, columns=100, rows=30):
        self.text = ""
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.popen = subprocess.Popen(arguments, stdin=slave, stdout=slave, stderr=slave, env=env,
                                      cwd=cwd, start_new_session=True,
                                      preexec_fn=_die_with_parent)
        os.close(slave)

    def read_some(self, deadline):
        """False: it has ended."""
        if not select.select([self.master], [], [], max(deadline - time.monotonic(), 0))[0]:
            raise TimeoutError(f"nothing more came after {self.text!r}")
        try:
            data = os.read(self.master, 1 << 16)
        except OSError:  # so Linux says that nobody writes to it any more
            data = b""
        self.text += data.decode()
        return bool(data)

    def wait_for(self, wanted):
        deadline = time.monotonic() + PATIENCE_S
        while wanted not in self.text:
            if not self.read_some(deadline):
                raise EOFError(f"{wanted!r} never came: {self.text!r}")

    def wait(self):
        """The exit code, when all output was read."""
        deadline = time.monotonic() + PATIENCE_S
        while self.read_some(deadline):
            pass
        return self.popen.wait(PATIENCE_S)

    def press_ctrl_c(self):
        self.popen.send_signal(signal.SIGINT)

    def kill(self):
        self.popen.kill()
        self.popen.wait()
        os.close(self.master)


class CommandTest(unittest.TestCase):
    """A home, and what to do in it. Commands run in `work`."""

    maxDiff = None

    def setUp(self):
        base = "/dev/shm" if os.access("/dev/shm", os.W_OK) else "/tmp"
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="sy-", dir=base))
        self.addCleanup(shutil.rmtree, self.home, ignore_errors=True)
        self.addCleanup(self.kill_what_is_left)
        (self.home / "run").mkdir(mode=0o700)
        self.work = self.home / "work"
        self.work.mkdir()
        self.env = {
            "HOME": str(self.home),
            "XDG_RUNTIME_DIR": str(self.home / "run"),
            "XDG_DATA_HOME": str(self.home / "data"),
            "XDG_CONFIG_HOME": str(self.home / "config"),
            "XDG_CACHE_HOME": str(self.home / "cache"),
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
            "LANG": "C.UTF-8",
            "TZ": "UTC",
            "SYMPHONY_NODE_LINGER_MS": str(LINGER_MS),
        }
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS"):
            if name in os.environ:
                self.env[name] = os.environ[name]
        self.started = 0

    # ---- what commands started ------------------------------------------------------------------

    def left(self):
        """Processes that know this home and are not this test's own children: pid -> arguments."""
        found = {}
        home = os.fsencode(str(self.home))
        for directory in pathlib.Path("/proc").iterdir():
            if not directory.name.isdigit():
                continue
            with contextlib.suppress(OSError):
                if home not in (directory / "environ").read_bytes():
                    continue
                parent = (directory / "stat").read_text().rsplit(")", 1)[1].split()[1]
                if int(parent) != os.getpid():
                    found[int(directory.name)] = (directory / "cmdline").read_bytes() \
                        .decode(errors="replace").split("\0")[:-1]
        return found

    def started_nodes(self):
        """The pids of nodes that commands started and that are still there."""
        return [pid for pid, arguments in self.left().items() if "--for-command" in arguments]

    def until_no_node(self):
        """Commands left, and what they started has ended by itself."""
        self.until("no node is left", lambda: not self.started_nodes())

    def kill_what_is_left(self):
        while left := self.left():
            for pid in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    # ---- starting -------------------------------------------------------------------------------

    def process(self, *arguments, kind=Process, env=None, binary=SYMPHONY, cwd=None):
        self.started += 1
        process = kind([binary, *map(str, arguments)], self.env | (env or {}),
                       self.home / f"stderr-{self.started}", cwd or self.work)
        self.addCleanup(process.kill)
        return process

    def node(self, *arguments, probes=None, env=None):
        """A node that is ready. With `probes` it is one that has them."""
        env = dict(env or {})
        if probes is not None:
            env["PROBES"] = json.dumps(probes)
        binary = SYMPHONY if probes is None else PROBED
        return self.process("node", *arguments, kind=Node, env=env,
                            binary=binary).wait_until_ready()

    def failing_node(self, *arguments, probes=None, within_s=PATIENCE_S):
        """A node that does not come up: its result."""
        env = {} if probes is None else {"PROBES": json.dumps(probes)}
        process = self.process("node", *arguments, env=env,
                               binary=SYMPHONY if probes is None else PROBED)
        code = process.wait(within_s)
        return Result(process.arguments, code, process.popen.stdout.read().decode(),
                      process.err())

    def command(self, *arguments, env=None, binary=SYMPHONY, input=None, cwd=None, **options):
        """Runs a command to its end."""
        done = subprocess.run([binary, *map(str, arguments)], env=self.env | (env or {}),
                              input=input, stdin=None if input else subprocess.DEVNULL,
                              capture_output=True, cwd=cwd or self.work, timeout=PATIENCE_S,
                              preexec_fn=_die_with_parent, **options)
        return Result(["symphony", *map(str, arguments)], done.returncode,
                      done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))

    def fails(self, code, *arguments, **options):
        """The same for one that has to end with this exit code."""
        result = self.command(*arguments, **options)
        self.assertEqual(result.code, code, result)
        return result

    def ok(self, *arguments, **options):
        return self.fails(OK, *arguments, **options)

    def probed(self, *arguments, **options):
        return self.command(*arguments, binary=PROBED, **options)

    def terminal(self, *arguments, env=None, **size):
        """A command on a terminal."""
        terminal = Terminal([SYMPHONY, *map(str, arguments)],
                            self.env | {"TERM": "xterm"} | (env or {}), self.work, **size)
        self.addCleanup(terminal.kill)
        return terminal

    def melody(self, text, name="melody.toml"):
        path = self.work / name
        path.write_text(text)
        return path

    # ---- looking --------------------------------------------------------------------------------

    def socket_path(self, name="main"):
        return self.home / "run" / "symphony" / f"{name}.sock"

    def until(self, what, condition, within_s=PATIENCE_S):
        """Asks again until it is true; each time costs a round trip, which is the pause."""
        deadline = time.monotonic() + within_s
        while True:
            found = condition()
            if found:
                return found
            if time.monotonic() > deadline:
                self.fail(f"not within {within_s} s: {what}")

    def component(self, name):
        """Its row of `ps`."""
        for row in self.ok("ps", "--json").json()["components"]:
            if row["name"] == name:
                return row
        return None

    def position(self, name):
        """Its node of `tree`."""
        def find(node):
            if node["name"] == name:
                return node
            return next(filter(None, map(find, node.get("children", []))), None)
        return find(self.ok("tree", "--json").json()["root"])

    def assert_stops_cleanly(self, node, within_s=PATIENCE_S):
        self.assertEqual(node.wait(within_s), OK, node.err())
        self.assertFalse(self.socket_path().exists())

    def assert_mentions(self, text, *words):
        for word in words:
            self.assertIn(word, text)

    @contextlib.contextmanager
    def service_manager(self, path=None):
        """A socket that hears what nodes notify, and the environment that has them do so."""
        path = path or str(self.home / "notify")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.settimeout(PATIENCE_S)
            manager.bind(path)
            yield manager, {"NOTIFY_SOCKET": path.replace("\0", "@")}

    @contextlib.contextmanager
    def connection(self, name="main"):
        """The bare socket of the node."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as peer:
            peer.connect(str(self.socket_path(name)))  # waits while others are let in
            peer.settimeout(PATIENCE_S)
            yield peer


def main():
    unittest.main(argv=[sys.argv[0], *sys.argv[1:]], verbosity=2)
