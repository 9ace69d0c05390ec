"""The sites of mutants are found where they are, and what is made of them compiles and differs."""

import os
import subprocess
import sys
import tempfile
import unittest

import sites

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
CXX = os.environ.get("SYMPHONY_CXX", "c++")

SOURCE = b"""#include <cstdio>
constexpr int kThingsMax = 3;
constexpr int twice(int x) { return x < 1 ? 0 : x * 2; }
int counted = 0;
void count(int by) { counted += by; }
int take(int things) {
  if (things > kThingsMax) return -1;
  if (things == 0 && counted == 0) {
    return 5;
  }
  count(2);
  counted *= 3;
  return counted;
}
int main() {
  const int four = take(4);
  std::printf("%d %d", four, take(1));
}
"""


def found_in(source):
    with tempfile.NamedTemporaryFile(suffix=".cpp") as file:
        file.write(source)
        file.flush()
        return sites.find_sites("x.cpp", file.name, ["-std=c++20"])


def output_with(source, chosen, number):
    with tempfile.TemporaryDirectory() as folder:
        path, program = os.path.join(folder, "x.cpp"), os.path.join(folder, "x")
        with open(path, "wb") as file:
            file.write(sites.mutated(source, chosen))
        subprocess.run([CXX, "-std=c++20", f"-I{ROOT}", path, "-o", program], check=True)
        return subprocess.run([program], check=True, capture_output=True, text=True,
                              env={**os.environ, "SYMPHONY_MUTANT": str(number)}).stdout


class Sites(unittest.TestCase):
    def of_kind(self, kind):
        return [(site.line, site.before) for site in found_in(SOURCE) if site.kind == kind]

    def test_a_refusal_beyond_a_limit_can_be_dropped(self):
        self.assertEqual(self.of_kind("drop a limit"), [(7, "things > kThingsMax")])

    def test_a_check_that_leaves_can_be_dropped(self):
        self.assertEqual(self.of_kind("drop a check"), [(8, "things == 0 && counted == 0")])

    def test_statements_are_deleted_and_swapped(self):
        self.assertEqual(self.of_kind("delete a statement"),
                         [(5, "counted += by"), (11, "count(2)"), (12, "counted *= 3"),
                          (17, 'std::printf("%d %d", four, take(1))')])
        self.assertEqual([line for line, _ in self.of_kind("swap two steps")], [12])

    def test_bounds_and_numbers_are_off_by_one(self):
        found = self.of_kind("off by one")
        self.assertIn((7, "things > kThingsMax"), found)
        self.assertIn((9, "5"), found)

    def test_constants_and_constexpr_functions_stay(self):
        self.assertFalse([site for site in found_in(SOURCE) if site.line in (2, 3)])


class Mutants(unittest.TestCase):
    def test_are_off_unless_chosen_and_change_what_they_say(self):
        by = {(site.line, site.kind): site for site in found_in(SOURCE)}
        chosen = [(1, by[7, "drop a limit"]), (2, by[12, "swap two steps"])]
        self.assertEqual(output_with(SOURCE, chosen, 0), "-1 6")
        self.assertEqual(output_with(SOURCE, chosen, 1), "6 24")  # a thing too many is let in
        self.assertEqual(output_with(SOURCE, chosen, 2), "-1 2")



if __name__ == "__main__":
    sys.exit(unittest.main())
