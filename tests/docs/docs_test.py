"""The documents say what the sources say.

    docs_test.py BIN_DIR           the tests
    docs_test.py BIN_DIR --write   make docs/command-line.md
"""

import pathlib
import re
import sys
import unittest

from pages import ROOT, commands_page, fences

BINARY = pathlib.Path(sys.argv[1]) / "symphony"
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])


class Documents(unittest.TestCase):
    def test_the_page_of_commands_is_what_help_says(self):
        present = (ROOT / "docs/command-line.md").read_text()
        self.assertEqual(present, commands_page(BINARY), "run `make docs`")

    def test_exit_codes_are_those_of_the_header(self):
        header = (ROOT / "actors/bootstrap/exit_codes.hpp").read_text()
        codes = re.findall(r"(kExit\w+) = (\d+)", header)
        page = (ROOT / "docs/exit-codes.md").read_text()
        table = re.findall(r"^\| (\d+) \| `(kExit\w+)` \|", page, re.M)
        self.assertEqual([(name, code) for code, name in table], codes)

    def test_snippets_stand_in_the_files_they_are_from(self):
        checked = 0
        for page in PAGES:
            for note, _, lines in fences(page.read_text()):
                if "/" not in note:
                    continue
                source = (ROOT / note).read_text()
                self.assertIn("\n".join(lines), source, f"{page.name}: {note}")
                checked += 1
        self.assertGreaterEqual(checked, 3)

    def test_links_lead_somewhere(self):
        for page in PAGES:
            text = re.sub(r"```.*?```", "", page.read_text(), flags=re.S)
            text = re.sub(r"`[^`]*`", "", text)
            for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text):
                if "://" not in target:
                    self.assertTrue((page.parent / target).exists(), f"{page.name}: {target}")

    def test_the_index_has_every_document(self):
        index = (ROOT / "docs/README.md").read_text()
        for page in PAGES:
            if page.name != "README.md":
                self.assertIn(f"({page.name})", index)

    def test_files_named_in_the_architecture_are_there(self):
        page = (ROOT / "docs/architecture.md").read_text()
        names = re.findall(r"`((?:[a-z_]+/)+(?:[a-z_-]+\.[a-z]+)?)`", page)
        self.assertGreater(len(names), 5)
        for name in names:
            self.assertTrue((ROOT / name).exists(), name)

    def test_components_drawn_in_the_architecture_are_those_of_the_boot_tree(self):
        source = (ROOT / "actors/bootstrap/boot_tree.cpp").read_text()
        planned = set(re.findall(r'"(/[a-z]+(?:/[a-z]+)*)"', source))
        planned = {name for name in planned if not name.startswith("/system")}
        page = (ROOT / "docs/architecture.md").read_text()
        drawing = next("\n".join(lines) for _, _, lines in fences(page)
                       if any("rest-for-one" in line for line in lines))
        drawn = set(re.findall(r"(?<![\w/])(/[a-z]+(?:/[a-z]+)*)", drawing)) - {"/system"}
        self.assertEqual(drawn, planned)

    def test_settings_named_in_the_architecture_exist(self):
        sample = (ROOT / "config/samples/node.toml").read_text()
        section, keys = "", set()
        for line in sample.splitlines():
            if header := re.match(r"\[([\w.]+)\]", line):
                section = header[1]
            elif key := re.match(r"(\w+) =", line):
                keys.add(f"{section}.{key[1]}")
        page = (ROOT / "docs/architecture.md").read_text()
        table = page[page.index("## Everything has a limit"):]
        for name in re.findall(r"`([a-z]+\.[a-z_]+)`", table):
            self.assertIn(name, keys)


if __name__ == "__main__":
    if "--write" in sys.argv:
        (ROOT / "docs/command-line.md").write_text(commands_page(BINARY))
    else:
        unittest.main(argv=sys.argv[:1])
