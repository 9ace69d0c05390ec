#!/usr/bin/env python3
"""Runs every benchmark and ends in one table: what was measured, against what, the ratio, the goal.

    bench/run.py [--bin build/bin] [--quick] [--only ask,flood]

Ratios are within one run on one machine, where both sides suffer the same neighbours; absolute
times are not comparable between runs. What a program prints is kept in build/bench/<name>.txt.
"""

import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]


class Table:
    def __init__(self):
        self.rows = []

    def add(self, what, ours, peer="", ratio="", goal=""):
        self.rows.append((what, ours, peer, ratio, goal))

    def __str__(self):
        rows = [("WHAT", "OURS", "BESIDE IT", "RATIO", "GOAL"), *self.rows]
        widths = [max(len(row[i]) for row in rows) for i in range(5)]
        return "\n".join("  ".join(c.ljust(w) for c, w in zip(row, widths)).rstrip() for row in rows)


def google(binary, name, quick, filter_=""):
    """Results of a Google Benchmark program by name, in nanoseconds of real time."""
    command = [binary, "--benchmark_format=json", f"--benchmark_min_time={0.05 if quick else 0.5}"]
    if filter_:
        command.append(f"--benchmark_filter={filter_}")
    report = json.loads(run(name, command))
    unit = {"ns": 1, "us": 1e3, "ms": 1e6, "s": 1e9}
    return {b["name"]: b["real_time"] * unit[b["time_unit"]] for b in report["benchmarks"]}, {
        b["name"]: b for b in report["benchmarks"]}


def run(name, command):
    print(f"  {name} …", file=sys.stderr, flush=True)
    begun = time.monotonic()
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, cwd=ROOT)
    folder = ROOT / "build" / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.txt").write_text(done.stdout + done.stderr)
    print(f"  {name}: {time.monotonic() - begun:.0f} s", file=sys.stderr, flush=True)
    if done.returncode != 0:
        raise RuntimeError(f"exit code {done.returncode}: {(done.stdout + done.stderr)[-300:]}")
    return done.stdout


def bench_ask(table, bin_, quick):
    out = run("ask", [bin_ / "bench_ask", 20_000 if quick else 200_000, 3 if quick else 9])
    goals = {"ask, one at a time": "≤ 1.3"}
    for what, ours, caf, ratio in re.findall(
            r"^(.+?)\s+Ref\s+(\d+) ns\s+CAF\s+(\d+) ns\s+Ref / CAF: ([\d.]+)$", out, re.M):
        table.add(what, f"{ours} ns", f"bare CAF {caf} ns", ratio, goals.get(what, ""))
    for what, ours, erlang, ratio in re.findall(
            r"^(.+?)\s+Ref\s+(\d+) ns\s+Erlang\s+(\d+) ns\s+Ref / Erlang: ([\d.]+)$", out, re.M):
        table.add(what, f"{ours} ns", f"Erlang {erlang} ns", ratio)
    if "Erlang is not installed" in out:
        table.add("the same", "", "Erlang is not installed (apt: erlang-base)")


def bench_flood(table, bin_, quick):
    out = run("flood", [bin_ / "bench_flood", 200_000 if quick else 10_000_000])
    sent = re.search(r"^(\d+) sent .*\((\d+) ns each\): (\d+) accepted, (\d+) told", out, re.M)
    growth = re.search(r"growth: ([\d.]+) MiB", out)
    table.add(f"flood of {int(sent[1]):,}", f"{sent[2]} ns a send", f"{int(sent[4]):,} told overloaded")
    table.add("memory it took", f"+{growth[1]} MiB", goal="bounded")


def bench_components(table, bin_, quick):
    out = run("components", [bin_ / "bench_components", *((10_000,) if quick else ())])
    size = re.search(r"^(\d+) children: ([\d.]+) KiB each", out, re.M)
    first, last = re.search(r"started in ([\d.]+) us each at first, ([\d.]+) us at last", out).groups()
    table.add(f"an idle component of {int(size[1]):,}", f"{size[2]} KiB", goal="≤ 4 KiB")
    table.add("the last of them is started in", f"{last} µs", f"the first {first} µs",
              f"{float(last) / float(first):.2f}")


def bench_link(table, bin_, quick):
    out = run("link", [bin_ / "bench_link", *((500, 5_000, 1) if quick else ())])
    p50 = {name.strip(): float(us) for name, us in
           re.findall(r"^(raw Unix socket|link|Erlang distribution)\s+p50\s+([\d.]+) us", out, re.M)}
    raw, link = p50["raw Unix socket"], p50["link"]
    table.add("ask over the link, p50", f"{link:.1f} µs", f"bare Unix socket {raw:.1f} µs",
              f"{link / raw:.2f}")
    found = re.search(r"link / Erlang: p50 ([\d.]+).*pipelined ([\d.]+)", out)
    if found:
        table.add("the same", f"{link:.1f} µs", f"Erlang {p50['Erlang distribution']:.1f} µs",
                  found[1], "≤ 1.0")
        table.add("pipelined asks a second", "", "Erlang", found[2], "≥ 1.5")
    else:
        table.add("the same", "", "Erlang is not installed (apt: erlang-base)")


def bench_telemetry(table, bin_, quick):
    ns, _ = google(bin_ / "bench_telemetry", "telemetry", quick)
    table.add("telemetry of a message", f"{ns['record_message_with_clocks']:.0f} ns",
              f"two clock readings {2 * ns['read_clock']:.0f} ns",
              f"{ns['record_message_with_clocks'] / (2 * ns['read_clock']):.2f}", "≤ 100 ns")


def bench_messages(table, bin_, quick):
    ns, _ = google(bin_ / "bench_messages", "messages", quick)
    for name in ("build_and_read_small", "validate_small", "json_write_small", "json_read_small"):
        table.add(name.replace("_", " "), f"{ns[name]:.0f} ns")


def bench_timer_wheel(table, bin_, quick):
    ns, _ = google(bin_ / "bench_timer_wheel", "timer_wheel", quick)
    ours, tree = ns["arm_and_cancel/4096"], ns["arm_and_cancel_multimap/4096"]
    table.add("arm and cancel a timer of 4096", f"{ours:.0f} ns", f"std::multimap {tree:.0f} ns",
              f"{ours / tree:.2f}")


def bench_dag(table, bin_, quick):
    ns, _ = google(bin_ / "bench_dag", "dag", quick, "/10000$")
    table.add("check a graph of 10,000 nodes", f"{ns['validate/10000'] / 1e6:.1f} ms", goal="≤ 5 ms")


def bench_pit(table, bin_, quick):
    ns, reports = google(bin_ / "bench_pit", "pit", quick, "dag_no_ops/1000|arbitration_exchange/100")
    for name, report in reports.items():
        for counter in ("time_per_node", "time_per_grant"):
            if counter in report:
                table.add(f"{name.split('/')[0].replace('_', ' ')}, {counter[5:].replace('_', ' ')}",
                          f"{report[counter] * 1e6:.1f} µs",
                          goal="≤ 10 µs" if counter == "time_per_node" else "")


def bench_engine(table, bin_, quick):
    out = run("engine", [bin_ / "bench_engine", *((1_000, 1) if quick else ())])
    ours = {}
    for line in out.splitlines():
        if found := re.match(r"  symphony (.+?) +([\d.]+)$", line):
            ours[found[1]] = found[2]
            table.add(f"engine, a node that does nothing, {found[1]}", f"{found[2]} µs", goal="≤ 5 µs")
        elif found := re.match(r"  dask (.+?) +([\d.]+) +([\d.]+) times ours", line):
            table.add(f"the same, against Dask, {found[1]}", "", f"Dask {found[2]} µs",
                      f"{1 / float(found[3]):.3f}")
        elif "skipped" in line:
            table.add("the same, against Dask", "", "not installed (apt: python3-dask)")


def bench_storage(table, bin_, quick):
    tree = ROOT / "runtime" if quick else pathlib.Path("/usr/include")
    folder = ROOT / "build" / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    out = run("storage", [bin_ / "bench_storage", "--dir", folder, "--tree", tree])
    label = ""
    for line in out.splitlines():
        what, *figures = re.split(r"\s{2,}", line.strip())
        # A line that begins with spaces has another percentile of the line before.
        label = f"{label.rsplit(' ', 1)[0]} {what}" if line.startswith(" ") else what
        if " / " in what and len(figures) == 3:
            table.add(label.split(" / ")[0], figures[0], f"{what.split(' / ')[1]} {figures[1]}",
                      figures[2])
        else:
            table.add(label, " ".join(figures))


def bench_tree(table, bin_, quick):
    tree = ROOT / "runtime" if quick else "/usr/include"
    out = run("tree", [sys.executable, ROOT / "bench/bench_tree.py", "--bin", bin_, "--tree", tree,
                       "--dir", ROOT / "build" / "bench", "--runs", 1 if quick else 3])
    for round_, ours, memory, rest in re.findall(
            r"^put --tree, (\w+): (\d+ files/s), (\d+ MiB)(.*)$", out, re.M):
        found = re.search(r"restic (.+), (\d+ MiB); times restic's: ([\d.]+)", rest)
        table.add(f"put a whole tree, {round_}", ours, f"restic {found[1]}" if found else "",
                  found[3] if found else "", "≥ 5 (files/s)")
        table.add("memory it took", memory, f"restic {found[2]}" if found else "", goal="≤ restic's")


def spread(table, what, out):
    """Lines like "name: p50 61 ms, max 68 ms (goal: 150 ms)"."""
    for name, p50, most, goal in re.findall(
            r"^(.+?): +p50 ([\d.]+ \w+), max ([\d.]+ \w+)(?: \(goal: (.+)\))?$", out, re.M):
        table.add(f"{what}, {name}", f"{p50} p50", f"{most} at most", goal=f"≤ {goal}" if goal else "")


def bench_boot(table, bin_, quick):
    spread(table, "boot", run("boot", [sys.executable, ROOT / "bench/bench_boot.py", "--bin", bin_,
                                       "--runs", 3 if quick else 20]))


def bench_report(table, bin_, quick):
    tree = ROOT / "runtime" if quick else "/usr/include"
    out = run("report", [sys.executable, ROOT / "bench/bench_report.py", "--bin", bin_, "--tree",
                         tree, "--runs", 1 if quick else 3])
    spread(table, out.splitlines()[0], out)


def bench_git(table, bin_, quick):
    out = run("git", [sys.executable, ROOT / "bench/bench_git.py", "--bin", bin_,
                      *(("--runs", 1, "--commits", 500) if quick else ())])
    seconds = {name: found for name, found in re.findall(r"^([\w. -]+): +p50 +([\d.]+) s", out, re.M)}
    ratio = re.search(r"^ratio: +([\d.]+)", out, re.M)[1]
    table.add("churn of a history", f"{seconds['git.churn']} s",
              f"git log --numstat {seconds['git log --numstat']} s", ratio, "≤ 1.2")
    table.add("report on that repository", f"{seconds['report']} s", goal="≤ 5 s")


def bench_runs(table, bin_, quick):
    few = ("--children", 1_000, "--selecting", 2_000) if quick else ()
    out = run("runs", [sys.executable, ROOT / "bench/bench_runs.py", "--bin", bin_, *few])
    for what, figure, goal in re.findall(r"^(.+?): ([\d.]+ \w+) \(goal: (.+)\)$", out, re.M):
        table.add(what, figure, goal=f"≤ {goal}")
    found = re.search(r"^(.+?): ([\d.]+ s), without ([\d.]+ s), ratio ([\d.]+)", out, re.M)
    table.add(found[1], found[2], f"without {found[3]}", found[4], "≤ 2")


ALL = ("ask", "flood", "components", "link", "telemetry", "messages", "timer_wheel", "dag", "pit", "engine",
       "storage", "tree", "boot", "report", "git", "runs")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--bin", default=ROOT / "build" / "bin", type=pathlib.Path)
    parser.add_argument("--quick", action="store_true", help="to see that all of it runs")
    parser.add_argument("--only", default=",".join(ALL), help="names, separated by commas")
    arguments = parser.parse_args()
    table, failed = Table(), []
    print(f"load before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores", file=sys.stderr)
    for name in arguments.only.split(","):
        program = "symphony" if name in ("tree", "boot", "report", "git", "runs") else f"bench_{name}"
        if not (arguments.bin / program).exists():
            table.add(name, f"{program} is not built")
            continue
        try:
            globals()[f"bench_{name}"](table, arguments.bin.resolve(), arguments.quick)
        except (RuntimeError, KeyError, TypeError, ValueError) as error:
            failed.append(name)
            table.add(name, f"FAILED: {str(error).splitlines()[-1] if str(error) else error!r}")
    print(table)
    print(f"\nload after: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; a busy machine moves "
          "times, less so ratios")
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
