"""symphony operators and symphony melody: what needs no node."""

import json

import harness
from harness import SOURCE, USAGE

GOOD = """
name = "good"
version = "1"
[inputs.path]
type = "path"
[nodes.list]
use = "file.glob"
with = { root = "${inputs.path}" }
[outputs]
files = "${nodes.list.files}"
"""


class Operators(harness.CommandTest):
    def test_lists_all_operators_and_documents_one(self):
        out = self.ok("operators").out
        self.assertIn("file.glob", out)
        out = self.ok("operators", "file.glob").out
        self.assertIn("root", out)

    def test_prints_json_for_programs(self):
        [listed] = self.ok("--json", "operators").json_lines()
        self.assertIn("file.glob", [operator["name"] for operator in listed])
        [one] = self.ok("--json", "operators", "file.glob").json_lines()
        self.assertEqual(one["name"], "file.glob")

    def test_suggests_the_operator_that_was_probably_meant(self):
        err = self.fails(USAGE, "operators", "file.globb").err
        self.assertIn("file.glob", err)


class Melody(harness.CommandTest):
    def test_finds_no_fault_with_a_good_melody(self):
        result = self.ok("melody", "check", self.melody(GOOD))
        self.assertIn("good is good: 1 node, 1 input, 1 output", result.out)
        self.assertEqual(result.err, "")

    def test_checks_the_melodies_that_come_with_it(self):
        self.ok("melody", "check", *sorted((SOURCE / "config/melodies").glob("*.toml")))

    def test_tells_every_problem_with_its_line_and_exits_with_2(self):
        path = self.melody(GOOD.replace("file.glob", "file.globb").replace("inputs.path}", "inputs.pth}"))
        err = self.fails(USAGE, "melody", "check", path).err
        self.assertIn(f"{path}:7:", err)
        self.assertIn(f"{path}:8:", err)
        [told] = self.fails(USAGE, "--json", "melody", "check", path).json_lines()
        self.assertFalse(told["ok"])
        self.assertEqual([problem["line"] for problem in told["problems"]], [7, 8])

    def test_tells_warnings_and_exits_with_0(self):
        path = self.melody(GOOD.replace("[nodes.list]", '[inputs.unused]\ntype = "text"\ndefault = ""\n[nodes.list]'))
        err = self.ok("melody", "check", path).err
        self.assertIn("warning: ", err)
        self.assertIn("unused", err)

    def test_reads_names_with_spaces_and_newlines(self):
        self.ok("melody", "check", self.melody(GOOD, "a b\nc.toml"))

    def test_says_so_when_there_is_no_such_file(self):
        err = self.fails(USAGE, "melody", "check", "missing.toml").err
        self.assertIn("missing.toml", err)

    def test_shows_and_draws_a_melody(self):
        path = self.melody(GOOD)
        self.assertIn("list", self.ok("melody", "show", path).out)
        self.assertIn("list", self.ok("melody", "graph", path).out)
        self.assertTrue(self.ok("melody", "graph", "--format", "dot", path).out.startswith("digraph"))
        out = self.ok("melody", "show", path, "--json").out
        self.assertEqual(json.loads(out)["name"], "good")


if __name__ == "__main__":
    harness.main()
