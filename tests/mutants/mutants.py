"""Tries small bugs in the sources and tells which of them no test notices.

    make mutants                      300 mutants of all rooms
    make mutants FILES=changed        of the sources that differ from main
    make mutants FILES="a.cpp b.cpp" N=40 SEED=7

Sites are drawn with the seed, all put into one copy of the tree (below build/mutants), which is
built once; SYMPHONY_MUTANT=N turns one on. A first run of every test notes which mutants it
reaches; each mutant is then tried with the tests that reach it, its own room's first, the quick
ones first, until one fails. What stands in tests/mutants/equivalents.txt is left out.
"""

import argparse
import concurrent.futures
import hashlib
import json
import os
import pickle
import random
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import sites

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
PLACE = os.path.join(ROOT, "build", "mutants")
TREE = os.path.join(PLACE, "tree")
BUILD = os.path.join(TREE, "build")
EQUIVALENTS = os.path.join(ROOT, "tests", "mutants", "equivalents.txt")
ROOMS = ["messages", "runtime", "actors", "extensions", "bootstrap"]
NUMBERS_MAX = 8191  # kSymphonyMutantsMax - 1
LEFT_OUT = ("messages/codegen/",)  # tested as a program that runs while building


def room_of(path):
    return "bootstrap" if path.startswith("actors/bootstrap/") else path.split("/", 1)[0]


def output_of(*command):
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout


def chosen_files(words):
    if words == "all":
        found = output_of("git", "ls-files", "*.cpp").split()
    elif words == "changed":
        found = output_of("git", "diff", "--name-only", "--diff-filter=d", "main", "--",
                          "*.cpp").split()
    else:
        found = words.split()
    found = [path for path in found if room_of(path) in ROOMS and not path.startswith(LEFT_OUT)]
    missing = [path for path in found if not os.path.isfile(os.path.join(ROOT, path))]
    if missing or not found:
        sys.exit(f"mutants: no such source: {' '.join(missing) or words}")
    return found


def copy_tree():
    """Makes TREE the same as the sources; what is equal keeps its time, so that little is built."""
    wanted = set(output_of("git", "ls-files", "-co", "--exclude-standard").split("\n")) - {""}
    for path in wanted:
        source, target = os.path.join(ROOT, path), os.path.join(TREE, path)
        if not os.path.isfile(source):
            continue
        with open(source, "rb") as file:
            content = file.read()
        write_if_different(target, content)
        shutil.copymode(source, target)
    for folder, folders, files in os.walk(TREE):
        if folder == TREE and "build" in folders:
            folders.remove("build")
        for name in files:
            path = os.path.join(folder, name)
            if os.path.relpath(path, TREE) not in wanted:
                os.unlink(path)


def write_if_different(target, content):
    try:
        with open(target, "rb") as file:
            if file.read() == content:
                return
    except FileNotFoundError:
        os.makedirs(os.path.dirname(target), exist_ok=True)
    with open(target, "wb") as file:
        file.write(content)


def build(*targets):
    return subprocess.run(["cmake", "--build", BUILD, "-j", str(os.cpu_count()), "--", "-k", "0",
                           *targets], capture_output=True, text=True, check=False)


def must(done, what):
    if done.returncode != 0:
        sys.exit(f"mutants: {what} failed:\n{(done.stdout + done.stderr)[-4000:]}")


def compile_commands():
    with open(os.path.join(BUILD, "compile_commands.json"), encoding="utf-8") as file:
        return {os.path.relpath(entry["file"], TREE): shlex.split(entry["command"])
                for entry in json.load(file)}


def sites_of(path, command):
    """The sites of one file, kept from one run to the next for as long as its bytes are the same."""
    with open(os.path.join(TREE, path), "rb") as file:
        content = file.read()
    with open(sites.__file__, "rb") as file:
        key = hashlib.sha256(file.read() + path.encode() + content).hexdigest()
    kept = os.path.join(PLACE, "sites", key)
    if os.path.isfile(kept):
        with open(kept, "rb") as file:
            return pickle.load(file)
    arguments = [word for word in command[1:] if word.startswith(("-I", "-D", "-std="))]
    found = sites.find_sites(path, os.path.join(TREE, path), arguments)
    os.makedirs(os.path.dirname(kept), exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=os.path.dirname(kept), delete=False) as file:
        pickle.dump(found, file)
    os.replace(file.name, kept)  # whole or not at all, whenever this is stopped
    return found


def read_equivalents():
    """Mutants that change nothing a test could see: `key  # reason`, one a line."""
    keys = set()
    with open(EQUIVALENTS, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if not line.strip() or line.startswith("#"):
                continue
            key, mark, reason = line.partition("  # ")
            if not mark or not reason.strip():
                sys.exit(f"{EQUIVALENTS}:{number}: has no reason: write KEY  # REASON")
            keys.add(key.strip())
    return keys


def draw(found, count, seed):
    """`count` of the sites, none overlapping another."""
    found = sorted(found, key=lambda site: (site.path, site.start, site.end, site.kind))
    random.Random(seed).shuffle(found)
    drawn = []
    for site in found:
        if len(drawn) == min(count, NUMBERS_MAX):
            break
        if all(site.path != other.path or site.end <= other.start or other.end <= site.start
               for other in drawn):
            drawn.append(site)
    return drawn


def plant(numbered):
    """Puts the mutants into the tree; gives back those that compile."""
    commands = compile_commands()
    good = []

    def compiles(path, content, command):
        with tempfile.NamedTemporaryFile(suffix=".cpp", dir=os.path.dirname(
                os.path.join(TREE, path))) as trial:
            trial.write(content)
            trial.flush()
            words = [word for word in command if word not in ("-c", "-MD")]
            for flag in ("-o", "-MT", "-MF"):
                if flag in words:
                    at = words.index(flag)
                    del words[at:at + 2]
            words[-1] = trial.name
            return subprocess.run([*words, "-fsyntax-only", "-w"], cwd=BUILD, check=False,
                                  capture_output=True).returncode == 0

    def of_file(path):
        with open(os.path.join(ROOT, path), "rb") as file:
            source = file.read()
        mine = [pair for pair in numbered if pair[1].path == path]
        if not compiles(path, sites.mutated(source, mine), commands[path]):
            mine = [pair for pair in mine
                    if compiles(path, sites.mutated(source, [pair]), commands[path])]
        if mine:
            write_if_different(os.path.join(TREE, path), sites.mutated(source, mine))
        return mine

    paths = sorted({site.path for _, site in numbered})
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for done, mine in enumerate(pool.map(of_file, paths), 1):
            good += mine
            progress("planting", done, len(paths))
    return good


def progress(what, done, of):
    if sys.stderr.isatty() or done == of:
        print(f"\rmutants: {what} {done} of {of}", end="\n" if done == of else "", file=sys.stderr,
              flush=True)


def all_tests():
    listed = json.loads(subprocess.run(["ctest", "--test-dir", BUILD, "--show-only=json-v1"],
                                       check=True, capture_output=True, text=True).stdout)
    tests = []
    for entry in listed["tests"]:
        of = {p["name"]: p["value"] for p in entry.get("properties", [])}
        if "command" in entry and "architecture" not in of.get("LABELS", []):
            tests.append({"name": entry["name"], "command": entry["command"],
                          "environment": dict(v.split("=", 1) for v in of.get("ENVIRONMENT", [])),
                          "directory": of.get("WORKING_DIRECTORY", BUILD),
                          "labels": of.get("LABELS", [])})
    return tests


def run(test, extra, seconds):
    """Runs one test: (passed, seconds, None or why not)."""
    began = time.monotonic()
    with subprocess.Popen(test["command"], cwd=test["directory"], start_new_session=True,
                          env={**os.environ, **test["environment"], **extra},
                          stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL) as child:
        try:
            code = child.wait(seconds)
        except subprocess.TimeoutExpired:
            code = None
        try:
            os.killpg(child.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    return code == 0, time.monotonic() - began, code


def trace(tests):
    """Runs every test once: notes its time and what it reaches. Gives those that passed."""
    def one(test):
        with tempfile.TemporaryDirectory(dir=PLACE) as folder:
            reached = os.path.join(folder, "reached")
            passed, seconds, _ = run(test, {"SYMPHONY_MUTANTS_REACHED": reached}, 300)
            numbers = set()
            if os.path.exists(reached):
                with open(reached, encoding="ascii") as file:
                    numbers = {int(line) for line in file}
        return {**test, "seconds": seconds, "reached": numbers} if passed else None

    passed = []
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for done, (test, result) in enumerate(zip(tests, pool.map(one, tests)), 1):
            if result:
                passed.append(result)
            else:
                print(f"\nmutants: {test['name']} fails without any mutant: left out",
                      file=sys.stderr)
            progress("tests traced", done, len(tests))
    return passed


def try_mutant(number, site, tests):
    """The name of the test that fails, or None."""
    room = room_of(site.path)
    reaching = [test for test in tests if number in test["reached"]]
    reaching.sort(key=lambda test: (room not in test["labels"], test["seconds"]))
    for test in reaching:
        passed, _, _ = run(test, {"SYMPHONY_MUTANT": str(number)}, 10 + 10 * test["seconds"])
        if not passed:
            return test["name"], len(reaching)
    return None, len(reaching)


def report(tried):
    rooms = {}
    for site, killer, _ in tried:
        killed, count = rooms.get(room_of(site.path), (0, 0))
        rooms[room_of(site.path)] = (killed + (killer is not None), count + 1)
    for site, killer, reaching in sorted(tried, key=lambda row: (row[0].path, row[0].line)):
        if killer is None:
            print(f"\n{site.path}:{site.line}: {site.kind}: lives "
                  f"({'no test comes here' if not reaching else f'{reaching} tests pass'})")
            print(f"  - {sites.one_line(site.before)}\n  + {sites.one_line(site.after)}")
            print(f"  key: {site.key}")
    print()
    for room in ROOMS:
        if room in rooms:
            killed, count = rooms[room]
            print(f"{room:<12} {killed:4} of {count:4} die  {100 * killed / count:5.1f} %")
    killed = sum(killer is not None for _, killer, _ in tried)
    print(f"{'all':<12} {killed:4} of {len(tried):4} die  {100 * killed / max(1, len(tried)):5.1f} %")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--files", default="all")
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 31))
    options = parser.parse_args()
    print(f"mutants: seed {options.seed}", file=sys.stderr, flush=True)

    paths = chosen_files(options.files)
    copy_tree()
    must(subprocess.run(["cmake", "-S", TREE, "-B", BUILD, "-G", "Ninja",
                         "-DCMAKE_BUILD_TYPE=Release", "-DSYMPHONY_BENCH=OFF"],
                        capture_output=True, text=True, check=False), "configuring")
    must(build("generated"), "generating")
    commands = compile_commands()
    paths = [path for path in paths if path in commands]
    found = []
    with concurrent.futures.ProcessPoolExecutor(os.cpu_count()) as pool:
        for done, of_file in enumerate(pool.map(sites_of, paths, [commands[p] for p in paths]), 1):
            found += of_file
            progress("sources read", done, len(paths))
    equivalents = read_equivalents()
    found = [site for site in found if site.key not in equivalents]
    drawn = draw(found, options.count, options.seed)
    print(f"mutants: {len(drawn)} of {len(found)} sites", file=sys.stderr, flush=True)
    numbered = plant(list(enumerate(drawn, 1)))
    print("mutants: building", file=sys.stderr, flush=True)
    must(build(), "building")
    tests = trace(all_tests())

    tried = []
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        results = pool.map(lambda pair: try_mutant(*pair, tests), numbered)
        for (number, site), (killer, reaching) in zip(numbered, results):
            tried.append((site, killer, reaching))
            progress("mutants tried", len(tried), len(numbered))
    report(tried)


if __name__ == "__main__":
    main()
