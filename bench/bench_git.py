#!/usr/bin/env python3
"""How fast histories are read, against git itself on the same repository.

    bench/bench_git.py [--bin build/bin] [--runs 3] [--commits 5000] [--keep DIR]

Makes a repository of so many commits over 400 files, with 44 notes for later (the same for the same
arguments), and prints in one run: the time of `git log --numstat`, of a melody that is git.churn
alone (the command from start to end), their ratio, and the time of the whole report. Goals: ratio at
most 1.2, report at most 5 s.
"""

import argparse
import pathlib
import random
import statistics
import subprocess
import time

from place import place

MELODY = pathlib.Path(__file__).resolve().parents[1] / "config/melodies/repo-report.toml"
CHURN = """
name = "churn"
version = "1"
[inputs.path]
type = "path"
[nodes.churn]
use = "git.churn"
with = { path = "${inputs.path}" }
cores = 2
"""
FILES = 400
NOTES = 44
SEED = 6


def lines_of(draw, count):
    return [f"  value = combine(value, {draw.randrange(10**9)});\n" for _ in range(count)]


def stream_of(commits):
    """What git fast-import reads."""
    draw = random.Random(SEED)
    files = {}
    for number in range(FILES):
        body = lines_of(draw, draw.randrange(40, 200))
        if number < NOTES:
            body.insert(len(body) // 2, "  // TODO: look at this again\n")
        files[f"src/part{number % 20}/file{number}.c"] = body
    names = sorted(files)
    for number in range(commits):
        person = f"Person {draw.randrange(12)}"
        stamp = f"{person} <{person[7:]}@example.org> {1_500_000_000 + number * 3600} +0000"
        yield f"commit refs/heads/main\nauthor {stamp}\ncommitter {stamp}\ndata 7\nChange\n\n"
        changed = names if number == 0 else draw.sample(names, draw.randrange(1, 9))
        for name in changed:
            body = files[name]
            for _ in range(draw.randrange(1, 6) if number else 0):
                place_at = draw.randrange(len(body))
                if "TODO" not in body[place_at]:
                    body[place_at:place_at + draw.randrange(2)] = lines_of(draw, 1)
            text = "".join(body)
            yield f"M 100644 inline {name}\ndata {len(text)}\n{text}\n"


def make_repository(path, commits):
    subprocess.run(["git", "init", "-q", "-b", "main", path], check=True)
    command = subprocess.Popen(["git", "-C", path, "fast-import", "--quiet"],
                               stdin=subprocess.PIPE, text=True)
    for part in stream_of(commits):
        command.stdin.write(part)
    command.stdin.close()
    if command.wait() != 0:
        raise SystemExit("git fast-import failed")
    subprocess.run(["git", "-C", path, "gc", "-q"], check=True)
    subprocess.run(["git", "-C", path, "reset", "-q", "--hard"], check=True)


def seconds_of(command, **options):
    begun = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, **options)
    return time.perf_counter() - begun


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", default="build/bin", type=pathlib.Path)
    parser.add_argument("--runs", default=3, type=int)
    parser.add_argument("--commits", default=5000, type=int)
    parser.add_argument("--keep", type=pathlib.Path, help="keep the repository here, or use it again")
    arguments = parser.parse_args()
    binary = str((arguments.bin / "symphony").resolve())
    figures = {"git log --numstat": [], "git.churn": [], "report": []}
    with place() as (home, environment):
        repository = arguments.keep or home / "repository"
        if not repository.exists():
            make_repository(repository, arguments.commits)
        melody = home / "churn.toml"
        melody.write_text(CHURN)
        options = {"env": environment, "cwd": home}
        for number in range(arguments.runs):
            figures["git log --numstat"].append(
                seconds_of(["git", "-C", repository, "log", "--numstat"]))
            figures["git.churn"].append(seconds_of(
                [binary, "run", melody, "--input", f"path={repository}"], **options))
            figures["report"].append(seconds_of(
                [binary, "run", MELODY, "--input", f"path={repository}",
                 "--input", f"output={home / f'report{number}'}"], **options))
    middle = {name: statistics.median(times) for name, times in figures.items()}
    for name, seconds in middle.items():
        print(f"{name + ':':20} p50 {seconds:5.2f} s, max {max(figures[name]):.2f} s")
    ratio = middle["git.churn"] / middle["git log --numstat"]
    print(f"{'ratio:':20} {ratio:.2f} (goal: 1.2); report goal: 5 s")


if __name__ == "__main__":
    main()
