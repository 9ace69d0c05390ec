#!/usr/bin/env python3
"""What `symphony artifact put --tree` costs, as people call it, and restic beside it in one run.

    bench/bench_tree.py [--bin build/bin] [--runs 3] [--tree /usr/include] [--dir build/bench]

Each round stores the tree twice into an empty store, and restic (where it is installed) does the
same into an empty repository on the same disk. Times are of the whole command, its node included.
Memory is RssAnon of the command and of the node that serves it, together, looked at every 5 ms: what
is mapped of the store's file the kernel takes back when it likes.
"""

import argparse
import os
import pathlib
import shutil
import subprocess
import time

from place import place

LOOK_EVERY_S = 0.005


def own_memory_kib(pid):
    """0 when it has ended."""
    try:
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return int(status.split("RssAnon:")[1].split()[0]) if "RssAnon:" in status else 0


def processes_of(environment):
    """Everything that runs in this place: the command, and the node it started."""
    mark = f"XDG_RUNTIME_DIR={environment['XDG_RUNTIME_DIR']}".encode()
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            if mark in pathlib.Path(f"/proc/{entry}/environ").read_bytes().split(b"\0"):
                yield int(entry)
        except OSError:
            pass


def run(arguments, environment, cwd):
    """(seconds, MiB at most)"""
    begun = time.perf_counter()
    command = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, env=environment, cwd=cwd)
    most_kib, pids, looks = 0, {command.pid}, 0
    while command.poll() is None:
        looks += 1
        if looks % 8 == 1:  # a look at all processes costs more than one at a few
            pids = set(processes_of(environment)) | {command.pid}
        most_kib = max(most_kib, sum(map(own_memory_kib, pids)))
        time.sleep(LOOK_EVERY_S)
    seconds = time.perf_counter() - begun
    if command.returncode not in (0, 1):  # 1: something could not be read
        raise SystemExit(f"{arguments} ended with {command.returncode}")
    return seconds, most_kib / 1024


def symphony_twice(binary, tree, folder):
    with place(folder) as (home, environment):
        put = [binary, "artifact", "put", "--tree", tree, "--name", "tree"]
        return run(put, environment, home), run(put, environment, home)


def restic_twice(tree, folder):
    with place(folder) as (home, environment):
        environment = environment | {"RESTIC_PASSWORD": "x"}
        restic = ["restic", "--quiet", "--repo", str(home / "restic")]
        subprocess.run([*restic, "init"], env=environment, check=True, stdout=subprocess.DEVNULL)
        backup = [*restic, "backup", str(tree)]
        return run(backup, environment, home), run(backup, environment, home)


def middle(values):
    ordered = sorted(values)
    return ordered[len(ordered) // 2]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", default="build/bin", type=pathlib.Path)
    parser.add_argument("--runs", default=3, type=int)
    parser.add_argument("--tree", default="/usr/include", type=pathlib.Path)
    parser.add_argument("--dir", default=".", type=pathlib.Path, help="on the disk to measure")
    arguments = parser.parse_args()
    binary = str((arguments.bin / "symphony").resolve())
    tree = arguments.tree.resolve()
    files = sum(len(names) for _, _, names in os.walk(tree))
    with_restic = shutil.which("restic") is not None
    ours, theirs = [], []
    for _ in range(arguments.runs):  # in turns: a disk's mood changes
        ours.append(symphony_twice(binary, tree, arguments.dir))
        if with_restic:
            theirs.append(restic_twice(tree, arguments.dir))
    print(f"{tree}: {files} files")
    for i, what in enumerate(("first", "again")):
        seconds = middle(round_[i][0] for round_ in ours)
        memory = middle(round_[i][1] for round_ in ours)
        line = f"put --tree, {what}: {files / seconds:.0f} files/s, {memory:.0f} MiB"
        if with_restic:
            their_seconds = middle(round_[i][0] for round_ in theirs)
            their_memory = middle(round_[i][1] for round_ in theirs)
            line += (f"; restic {files / their_seconds:.0f} files/s, {their_memory:.0f} MiB; "
                     f"times restic's: {their_seconds / seconds:.2f}")
        print(line)
    if not with_restic:
        print("restic is not installed (apt: restic)")


if __name__ == "__main__":
    main()
