#!/usr/bin/env python3
"""How long the report on a source tree takes, and how much memory the command and its node need.

    bench/bench_report.py [--bin build/bin] [--runs 3] [--tree /usr/include]

Alone, on an empty data directory, every file stored as an artifact. Memory is RssAnon, looked at
every 5 ms: pages of files that are mapped, which the kernel takes back when it likes, are not in
it. Goal: 30 s for 10,000 files.
"""

import argparse
import json
import pathlib
import subprocess
import time

from place import place, stop_node

MELODY = pathlib.Path(__file__).resolve().parents[1] / "config/melodies/repo-report.toml"
LOOK_EVERY_S = 0.005


def own_memory_kib(pid):
    """Of the process and what it started; 0 when it has ended."""
    try:
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
        started = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    own = int(status.split("RssAnon:")[1].split()[0]) if "RssAnon:" in status else 0
    return own + sum(map(own_memory_kib, started))


def report_once(binary, tree):
    """(seconds, MiB at most, files)"""
    with place() as (home, environment):
        events = home / "events"
        with open(events, "wb") as out:
            begun = time.perf_counter()
            command = subprocess.Popen(
                [binary, "--json", "run", MELODY, "--input", f"path={tree}",
                 "--input", f"output={home / 'report'}"],
                stdout=out, stderr=subprocess.DEVNULL, env=environment, cwd=home)
            most_kib = 0
            while command.poll() is None:
                most_kib = max(most_kib, own_memory_kib(command.pid))
                time.sleep(LOOK_EVERY_S)
            seconds = time.perf_counter() - begun
        if command.returncode != 0:
            raise SystemExit(f"the command ended with {command.returncode}")
        stop_node(binary, home, environment)
        summary = json.loads(events.read_text(errors="replace").splitlines()[-1])
        return seconds, most_kib / 1024, summary["outputs"]["files"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", default="build/bin", type=pathlib.Path)
    parser.add_argument("--runs", default=3, type=int)
    parser.add_argument("--tree", default="/usr/include", type=pathlib.Path)
    arguments = parser.parse_args()
    binary = str((arguments.bin / "symphony").resolve())
    runs = [report_once(binary, arguments.tree) for _ in range(arguments.runs)]
    times, sizes = sorted(run[0] for run in runs), sorted(run[1] for run in runs)
    middle = len(runs) // 2
    print(f"{arguments.tree}: {runs[0][2]} files")
    print(f"report:     p50 {times[middle]:.1f} s, max {times[-1]:.1f} s (goal: 30 s)")
    print(f"own memory: p50 {sizes[middle]:.0f} MiB, max {sizes[-1]:.0f} MiB")


if __name__ == "__main__":
    main()
