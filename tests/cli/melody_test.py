"""symphony operators and symphony melody: what needs no node."""

import json
import unittest

from support import SOURCE, CommandTest

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


class Operators(CommandTest):
    def test_lists_all_operators_and_documents_one(self):
        out, _ = self.symphony("operators")
        self.assertIn("file.glob", out)
        out, _ = self.symphony("operators", "file.glob")
        self.assertIn("root", out)

    def test_prints_json_for_programs(self):
        [listed] = self.json_lines("operators")
        self.assertIn("file.glob", [operator["name"] for operator in listed])
        [one] = self.json_lines("operators", "file.glob")
        self.assertEqual(one["name"], "file.glob")

    def test_suggests_the_operator_that_was_probably_meant(self):
        _, err = self.symphony("operators", "file.globb", exit_code=2)
        self.assertIn("file.glob", err)


class Melody(CommandTest):
    def test_finds_no_fault_with_a_good_melody(self):
        out, err = self.symphony("melody", "check", self.melody(GOOD))
        self.assertIn("good is good: 1 node, 1 input, 1 output", out)
        self.assertEqual(err, "")

    def test_checks_the_melodies_that_come_with_it(self):
        self.symphony("melody", "check", *sorted((SOURCE / "config/melodies").glob("*.toml")))

    def test_tells_every_problem_with_its_line_and_exits_with_2(self):
        path = self.melody(GOOD.replace("file.glob", "file.globb").replace("inputs.path}", "inputs.pth}"))
        _, err = self.symphony("melody", "check", path, exit_code=2)
        self.assertIn(f"{path}:7:", err)
        self.assertIn(f"{path}:8:", err)
        [told] = self.json_lines("melody", "check", path, exit_code=2)
        self.assertFalse(told["ok"])
        self.assertEqual([problem["line"] for problem in told["problems"]], [7, 8])

    def test_tells_warnings_and_exits_with_0(self):
        path = self.melody(GOOD.replace("[nodes.list]", '[inputs.unused]\ntype = "text"\ndefault = ""\n[nodes.list]'))
        _, err = self.symphony("melody", "check", path)
        self.assertIn("warning: ", err)
        self.assertIn("unused", err)

    def test_reads_names_with_spaces_and_newlines(self):
        self.symphony("melody", "check", self.melody(GOOD, "a b\nc.toml"))

    def test_says_so_when_there_is_no_such_file(self):
        _, err = self.symphony("melody", "check", "missing.toml", exit_code=2)
        self.assertIn("missing.toml", err)

    def test_shows_and_draws_a_melody(self):
        path = self.melody(GOOD)
        self.assertIn("list", self.symphony("melody", "show", path)[0])
        self.assertIn("list", self.symphony("melody", "graph", path)[0])
        self.assertTrue(self.symphony("melody", "graph", "--format", "dot", path)[0].startswith("digraph"))
        out, _ = self.symphony("melody", "show", path, "--json")
        self.assertEqual(json.loads(out)["name"], "good")


if __name__ == "__main__":
    unittest.main()
