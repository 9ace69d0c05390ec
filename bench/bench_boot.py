#!/usr/bin/env python3
"""How long a node takes from exec to ready, how much memory it then holds, and how long a command
takes that finds no node.

    bench/bench_boot.py [--bin build/bin] [--runs 20]

Each run has a data directory of its own, empty at first. Goals: 150 ms, 60 MiB; `symphony artifact
log` from exec to its end 150 ms. With `true` the machine's own price of starting a process is
measured beside it: read both.
"""

import argparse
import pathlib
import signal
import subprocess
import time

from place import place, stop_node


def boot_once(binary):
    """(milliseconds from exec to the ready line, resident MiB then)"""
    with place() as (home, environment):
        begun = time.perf_counter()
        node = subprocess.Popen([binary, "node"], stdout=subprocess.PIPE,
                                stderr=subprocess.DEVNULL, env=environment, cwd=home)
        line = node.stdout.readline()
        ms = (time.perf_counter() - begun) * 1000
        if b"ready" not in line:
            raise SystemExit(f"the node did not become ready: {line!r}")
        status = pathlib.Path(f"/proc/{node.pid}/status").read_text()
        resident_kib = int(status.split("VmRSS:")[1].split()[0])
        node.send_signal(signal.SIGTERM)
        if node.wait(30) != 0:
            raise SystemExit(f"the node ended with {node.returncode}")
        return ms, resident_kib / 1024


def command_once(binary, with_node):
    """Milliseconds from exec to the end of `artifact log`; it has to start its node, or finds it."""
    with place() as (home, environment):
        command = [binary, "artifact", "log"]
        if with_node:
            subprocess.run(command, env=environment, cwd=home, check=True,
                           stdout=subprocess.DEVNULL)
        begun = time.perf_counter()
        subprocess.run(command, env=environment, cwd=home, check=True, stdout=subprocess.PIPE)
        ms = (time.perf_counter() - begun) * 1000
        stop_node(binary, home, environment)
        return ms


def start_true():
    begun = time.perf_counter()
    subprocess.run(["true"], check=True)
    return (time.perf_counter() - begun) * 1000


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", default="build/bin", type=pathlib.Path)
    parser.add_argument("--runs", default=20, type=int)
    arguments = parser.parse_args()
    binary = str((arguments.bin / "symphony").resolve())
    runs = [boot_once(binary) for _ in range(arguments.runs)]
    times, sizes = sorted(ms for ms, _ in runs), sorted(mib for _, mib in runs)
    alone = sorted(command_once(binary, False) for _ in runs)
    served = sorted(command_once(binary, True) for _ in runs)
    bare = sorted(start_true() for _ in runs)
    middle = len(runs) // 2
    print(f"exec to ready: p50 {times[middle]:.0f} ms, max {times[-1]:.0f} ms (goal: 150 ms)")
    print(f"command that starts its node: p50 {alone[middle]:.0f} ms, max {alone[-1]:.0f} ms "
          "(goal: 150 ms)")
    print(f"command that finds one:       p50 {served[middle]:.0f} ms, max {served[-1]:.0f} ms")
    print(f"exec of true:  p50 {bare[middle]:.0f} ms, max {bare[-1]:.0f} ms")
    print(f"resident:      p50 {sizes[middle]:.1f} MiB, max {sizes[-1]:.1f} MiB (goal: 60 MiB)")


if __name__ == "__main__":
    main()
