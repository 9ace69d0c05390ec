#!/usr/bin/env python3
"""Runs of any size: what a large map costs to look at, to resume, and in memory.

    bench/bench_runs.py [--bin build/bin] [--children 40000] [--kib 60] [--selecting 100000]

A node of its own maps over so many items; each child gives so much (a file, read as text). When
nine tenths are done the node is killed and started again. Measured are
- show:    `symphony runs show` of that run, at the end
- resume:  from the start of the second node until a node of the run has ended that had not before
- memory:  the most that RssAnon of either node grew above what it was when it was ready
Beside it: so many children with `${nodes.first.value[0]}`, a reference to one child of another map,
in their arguments, and without it.
"""

import argparse
import json
import pathlib
import subprocess
import threading
import time

from place import place

LOOK_EVERY_S = 0.01

BIG = """name = "big"
version = "1"
[nodes.each]
use = "file.read"
map = [{items}]
with = {{ path = "{file}", max_bytes = {size} }}
"""

SMALL = """name = "small"
version = "1"
[nodes.first]
use = "data.select"
map = [{items}]
with = {{ from = "${{item}}", expression = "it" }}
[nodes.second]
use = "data.select"
needs = ["first"]
map = [{items}]
with = {{ from = {selected}, expression = "it" }}
"""


def own_memory_kib(pid):
    """0 when it has ended."""
    try:
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return int(status.split("RssAnon:")[1].split()[0]) if "RssAnon:" in status else 0


class Node:
    """A node with whoever watches its memory."""

    def __init__(self, binary, environment, home):
        self.begun = time.perf_counter()
        self.process = subprocess.Popen([binary, "node"], stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, env=environment, cwd=home)
        line = self.process.stdout.readline()
        if b"ready" not in line:
            raise SystemExit(f"the node did not become ready: {line!r}")
        self.first_kib = own_memory_kib(self.process.pid)
        self.most_kib = self.first_kib
        self.watch = threading.Thread(target=self.look, daemon=True)
        self.watch.start()

    def look(self):
        while self.process.poll() is None:
            self.most_kib = max(self.most_kib, own_memory_kib(self.process.pid))
            time.sleep(LOOK_EVERY_S)

    def end(self, kill=False):
        self.process.kill() if kill else self.process.terminate()
        self.process.wait(60)
        self.watch.join()
        return (self.most_kib - self.first_kib) / 1024


class Place:
    def __init__(self, binary, home, environment):
        self.binary, self.home, self.environment = binary, home, environment

    def ask(self, *arguments):
        return subprocess.run([self.binary, *map(str, arguments)], env=self.environment,
                              cwd=self.home, capture_output=True, text=True, check=True).stdout

    def run(self, melody):
        path = self.home / "melody.toml"
        path.write_text(melody)
        out = self.ask("--json", "run", "--detach", path)
        return json.loads(out.splitlines()[-1])["run"]

    def row(self, run):
        for line in self.ask("--json", "runs").splitlines():
            if (row := json.loads(line))["run"] == run:
                return row
        raise SystemExit(f"run {run} is not listed")

    def until(self, run, done):
        """The row of the run as soon as so many nodes are done, or it has ended."""
        while True:
            row = self.row(run)
            if row["progress"]["done"] >= done or row["status"] not in ("pending", "running"):
                return row
            time.sleep(LOOK_EVERY_S)


def big_run(binary, children, kib):
    with place() as (home, environment):
        file = home / "content"
        file.write_text("x" * (kib * 1024))
        here = Place(binary, home, environment)
        node = Node(binary, environment, home)
        run = here.run(BIG.format(file=file, size=kib * 1024, items="0," * children))
        here.until(run, children * 9 // 10)
        grown_mib = node.end(kill=True)
        node = Node(binary, environment, home)
        done = here.row(run)["progress"]["done"]
        here.until(run, done + 1)
        resumed_s = time.perf_counter() - node.begun
        row = here.until(run, children + 1)
        if row["status"] != "succeeded":
            raise SystemExit(f"the run ended as {row['status']}")
        begun = time.perf_counter()
        here.ask("runs", "show", run)
        shown_s = time.perf_counter() - begun
        grown_mib = max(grown_mib, node.end())
        return shown_s, resumed_s, grown_mib


def small_run(binary, children, selected):
    with place() as (home, environment):
        here = Place(binary, home, environment)
        node = Node(binary, environment, home)
        begun = time.perf_counter()
        run = here.run(SMALL.format(selected=selected, items="0," * children))
        row = here.until(run, 2 * children + 2)
        seconds = time.perf_counter() - begun
        node.end()
        if row["status"] != "succeeded":
            raise SystemExit(f"the run ended as {row['status']}")
        return seconds


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", default="build/bin", type=pathlib.Path)
    parser.add_argument("--children", default=40_000, type=int)
    parser.add_argument("--kib", default=60, type=int)
    parser.add_argument("--selecting", default=100_000, type=int)
    arguments = parser.parse_args()
    binary = str((arguments.bin / "symphony").resolve())
    shown_s, resumed_s, grown_mib = big_run(binary, arguments.children, arguments.kib)
    what = f"{arguments.children} children of {arguments.kib} KiB"
    print(f"{what}, show: {shown_s:.2f} s (goal: 1 s)")
    print(f"{what}, resume: {resumed_s:.2f} s (goal: 2 s)")
    print(f"{what}, memory: {grown_mib:.0f} MiB (goal: 256 MiB)")
    without = small_run(binary, arguments.selecting, "0")
    selecting = small_run(binary, arguments.selecting, '"${nodes.first.value[0]}"')
    print(f"{arguments.selecting} children that select one of another map: {selecting:.1f} s, without "
          f"{without:.1f} s, ratio {selecting / without:.2f} (goal: 2)")


if __name__ == "__main__":
    main()
