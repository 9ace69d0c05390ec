"""Holds the code to the rules of the architecture that can be read off its text.

Rooms stand in an order, and code includes only from its own room and those before it; the
subsystems under actors/ meet through protocols only; CAF stays behind the component runtime.
"""

import json
import os
import re
import sys
import unittest

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))

ROOMS = ["messages", "runtime", "actors", "extensions", "actors/bootstrap"]

# Headers below actors/ that others implement. Everything else there is its subsystem's own.
INTERFACES = {
    "actors/orchestration/operator.hpp",
    "actors/orchestration/operator_help.hpp",
}

# The folder below actors/ with what several subsystems know: the model of a run, without actors.
SHARED = "run"

# The places that may know CAF.
CAF_FILES = re.compile(r"(tests/)?runtime/component/|runtime/testing/(test|live)_node\.(cpp|hpp)$")

# What is not shipped.
TESTING = "runtime/testing/"

LINES_MAX = 500
# Tables of data, which read best whole.
TABLES = {"extensions/operators/text/languages.cpp"}
INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]')
DETACHED = re.compile(r"spawn\s*<[^>]*\bdetached\b|\bcaf::detached\b")


def room_of(path):
    """The room a file or an include belongs to, or None."""
    if path.startswith("actors/bootstrap/"):
        return "actors/bootstrap"
    room = path.split("/", 1)[0]
    return room if room in ROOMS else None


def subsystem_of(path):
    """"pit" of "actors/pit/dag/dag.hpp"."""
    parts = path.split("/")
    return parts[1] if len(parts) > 2 else ""


def include_problem(path, room, included):
    """What is wrong with a project include in a file of `room`, or None."""
    if included.startswith("embedded/"):
        return None  # the build puts files there for whoever asks
    target = room_of(included)
    if included.startswith(TESTING) and not path.startswith(TESTING):
        return f"includes {included}, which is for tests and benchmarks"
    if target is None:
        return f"includes {included}, which is in no room (paths begin at the source root)"
    if ROOMS.index(target) > ROOMS.index(room):
        return f"includes {included}: {room} stands before {target}"
    if target == "actors" and included not in INTERFACES:
        if room == "extensions":
            return f"includes {included}, which is no interface for extensions"
        if room == "actors" and subsystem_of(included) not in (subsystem_of(path), SHARED):
            return f"includes {included}, the inside of another subsystem"
    return None


def problems_of(path, text):
    """All that is wrong with one source, as lines for people."""
    lines = text.splitlines()
    found = []
    if len(lines) > LINES_MAX and path not in TABLES:
        found.append(f"{path}: has {len(lines)} lines, {LINES_MAX} are allowed: make it two")
    if not path.endswith((".cpp", ".hpp")):
        return found
    room = room_of(path)
    for number, line in enumerate(lines, 1):
        where = f"{path}:{number}: "
        if DETACHED.search(line):
            found.append(where + "spawns a detached actor, which no test can schedule")
        include = INCLUDE.match(line)
        if not include or room is None:
            continue
        kind, included = include.groups()
        if kind == "<":
            if included.startswith("caf/") and not CAF_FILES.match(path):
                found.append(where + f"includes <{included}>: CAF stays in runtime/component")
        else:
            problem = include_problem(path, room, included)
            if problem:
                found.append(where + problem)
    return found


def sources(root):
    """Every file that is ours, relative to `root`."""
    for top in ["messages", "runtime", "actors", "extensions", "tests", "bench", "cmake"]:
        for folder, _, files in os.walk(os.path.join(root, top)):
            for name in files:
                if name.endswith((".cpp", ".hpp", ".capnp", ".py", ".cmake", "CMakeLists.txt")):
                    yield os.path.relpath(os.path.join(folder, name), root)


def text_of(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


class Rules(unittest.TestCase):
    """The checks find what they are for."""

    def assert_refused(self, path, line, words):
        found = problems_of(path, line)
        self.assertEqual(len(found), 1, found)
        self.assertIn(words, found[0])

    def assert_fine(self, path, line):
        self.assertEqual(problems_of(path, line), [])

    def test_a_room_does_not_include_a_later_one(self):
        self.assert_refused("messages/x.cpp", '#include "runtime/log/log.hpp"', "stands before")
        self.assert_refused("runtime/x.cpp", '#include "actors/pit/x.hpp"', "stands before")
        self.assert_refused("actors/pit/x.cpp", '#include "actors/bootstrap/x.hpp"', "before")
        self.assert_refused("extensions/x.cpp", '#include "actors/bootstrap/x.hpp"', "before")

    def test_a_room_includes_itself_and_earlier_ones(self):
        self.assert_fine("runtime/x.cpp", '#include "messages/result.hpp"')
        self.assert_fine("actors/bootstrap/x.cpp", '#include "extensions/operators/kit.hpp"')
        self.assert_fine("actors/bootstrap/x.cpp", '#include "actors/pit/x.hpp"')
        self.assert_fine("actors/pit/a/x.cpp", '#include "actors/pit/b/y.hpp"')

    def test_subsystems_do_not_include_each_others_insides(self):
        self.assert_refused(
            "actors/pit/x.cpp", '#include "actors/orchestration/engine.hpp"', "another subsystem")
        self.assert_refused(
            "actors/run/x.cpp", '#include "actors/pit/x.hpp"', "another subsystem")
        self.assert_fine("actors/pit/dag/x.cpp", '#include "actors/run/graph.hpp"')

    def test_extensions_include_interfaces_only(self):
        self.assert_fine("extensions/x.cpp", '#include "actors/orchestration/operator.hpp"')
        self.assert_refused("extensions/x.cpp", '#include "actors/pit/x.hpp"', "no interface")

    def test_what_is_shipped_does_not_include_what_tests_run_in(self):
        self.assert_refused("actors/pit/x.cpp", '#include "runtime/testing/probe.hpp"', "for tests")
        self.assert_fine("runtime/testing/x.cpp", '#include "runtime/testing/probe.hpp"')
        self.assert_fine("tests/runtime/x.cpp", '#include "runtime/testing/probe.hpp"')

    def test_includes_begin_at_the_source_root(self):
        self.assert_refused("runtime/x.cpp", '#include "log.hpp"', "in no room")
        self.assert_refused("runtime/x.cpp", '#include "conductor/x.hpp"', "in no room")

    def test_caf_stays_in_its_place(self):
        self.assert_fine("runtime/component/x.cpp", "#include <caf/send.hpp>")
        self.assert_refused("runtime/link/x.cpp", "#include <caf/send.hpp>", "CAF stays")
        self.assert_refused("actors/pit/x.cpp", "#include <caf/send.hpp>", "CAF stays")

    def test_no_actor_is_detached(self):
        self.assert_refused("runtime/component/x.cpp", "system.spawn<caf::detached>(f);", "detached")
        self.assert_refused("tests/x.cpp", "spawn<lazy_init + detached>(f);", "detached")

    def test_files_stay_short(self):
        self.assert_fine("runtime/x.cpp", "\n" * 500)
        self.assert_refused("runtime/x.cpp", "\n" * 501, "has 501 lines")


def unread_settings(schema, sources):
    """The settings, as "section.key", that no source names: to set them would do nothing."""
    return [f"{section}.{key}" for section, of in schema["properties"].items()
            for key in of.get("properties", {}) if f'"{section}.{key}"' not in sources]


class Settings(unittest.TestCase):
    SCHEMA = {"properties": {"engine": {"properties": {"max_runs": {}, "max_walks": {}}}}}

    def test_that_nothing_reads_are_found(self):
        source = 'settings.get<int>("engine.max_runs"), "engine.max_walks_too"'
        self.assertEqual(unread_settings(self.SCHEMA, source), ["engine.max_walks"])

    def test_of_the_schema_are_read_somewhere(self):
        schema = json.loads(text_of("config/schema/node.schema.json"))
        texts = [text_of(path) for path in sources(ROOT) if path.startswith(("actors/", "runtime/"))]
        self.assertEqual(unread_settings(schema, "\n".join(texts)), [])


class Code(unittest.TestCase):
    def test_follows_the_architecture(self):
        found = []
        count = 0
        for path in sorted(sources(ROOT)):
            found += problems_of(path, text_of(path))
            count += 1
        self.assertGreater(count, 100, "the sources were not found")
        self.assertEqual(found, [], "\n" + "\n".join(found))


if __name__ == "__main__":
    sys.exit(unittest.main())
