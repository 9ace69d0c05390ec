"""symphony artifact: against a node of its own and against one that runs."""

import os
import stat

import harness
from harness import FAILED, OK, USAGE


def snapshot(root):
    """Everything below a directory: path, kind, permissions and content, as bytes."""
    found = {}
    root = os.fsencode(root)
    for directory, names, files in os.walk(root):
        for name in names + files:
            path = os.path.join(directory, name)
            about = os.lstat(path)
            if stat.S_ISLNK(about.st_mode):
                content = os.readlink(path)
            elif stat.S_ISDIR(about.st_mode):
                content = b""
            else:
                with open(path, "rb") as file:
                    content = file.read()
            found[os.path.relpath(path, root)] = (stat.S_IFMT(about.st_mode), content,
                                                  0 if stat.S_ISLNK(about.st_mode)
                                                  else stat.S_IMODE(about.st_mode))
    return found


class Contents(harness.CommandTest):
    def test_come_back_as_they_were_stored(self):
        content = bytes(range(256)) * 20_000  # several parts
        [first] = self.ok("--json", "artifact", "put", "-", "--name", "blob",
                          input=content).json_lines()
        self.assertEqual((first["name"], first["version"]), ("blob", 1))
        self.assertEqual(first["sizeBytes"], len(content))
        target = self.work / "back again\n.bin"
        self.ok("artifact", "get", "blob", "-o", target)
        self.assertEqual(target.read_bytes(), content)
        self.assertEqual(list(self.work.iterdir()), [target])  # nothing beside it is left

    def test_have_versions_by_name(self):
        source = self.work / "a file"
        for text in ("one", "two"):
            source.write_text(text)
            self.ok("artifact", "put", source, "--name", "notes", "--type", "text/plain")
        self.assertEqual(self.ok("artifact", "get", "notes@1").out, "one")
        self.assertEqual(self.ok("artifact", "get", "notes").out, "two")
        versions = self.ok("--json", "artifact", "log", "notes").json_lines()
        self.assertEqual([v["version"] for v in versions], [2, 1])
        self.assertEqual(versions[0]["mediaType"], "text/plain")
        out = self.ok("artifact", "log").out
        self.assertIn("notes@2", out)
        self.assertNotIn("notes@1", out)

    def test_without_a_name_are_found_by_digest(self):
        out = self.ok("artifact", "put", "-", input=b"nameless").out
        digest = out.split()[0]
        self.assertTrue(digest.startswith("sha256:"))
        self.assertEqual(self.ok("artifact", "get", digest).out, "nameless")
        self.assertEqual(self.ok("artifact", "get", digest[len("sha256:"):][:12]).out, "nameless")

    def test_may_be_empty(self):
        self.ok("artifact", "put", "-", "--name", "empty")
        self.assertEqual(self.ok("artifact", "get", "empty").out, "")

    def test_that_are_not_there_fail_with_1(self):
        err = self.fails(FAILED, "artifact", "get", "nothing").err
        self.assertIn("nothing", err)

    def test_refuse_what_cannot_be_stored_with_2(self):
        err = self.fails(USAGE, "artifact", "put", "missing").err
        self.assertIn("missing", err)
        err = self.fails(USAGE, "artifact", "put", ".").err
        self.assertIn("--tree", err)
        self.fails(USAGE, "artifact", "put")
        self.fails(USAGE, "artifact", "put", "--tree", ".")


class Trees(harness.CommandTest):
    def setUp(self):
        super().setUp()
        self.tree = self.work / "a tree"
        inner = self.tree / "in ner" / "deep"
        inner.mkdir(parents=True)
        (self.tree / "empty").mkdir()
        (inner / "quo'te\n\".txt").write_text("odd")
        (self.tree / "zero").write_bytes(b"")
        (self.tree / "large").write_bytes(os.urandom(3_000_000))
        script = self.tree / "run.sh"
        script.write_text("#!/bin/sh\n")
        script.chmod(0o755)
        (self.tree / "link").symlink_to("in ner/deep")
        (self.tree / "loop").symlink_to(".")
        with open(os.fsencode(self.tree) + b"/caf\xe9", "wb") as file:
            file.write(b"latin")
        for number in range(1200):  # several batches
            (inner / f"{number}.txt").write_text(f"number {number}\n")

    def test_come_back_with_names_links_and_permissions(self):
        out = self.ok("artifact", "put", "--tree", self.tree, "--name", "sources").out
        self.assertTrue(out.startswith("sources@1"), out)
        self.assertIn("1,205 files", out)
        self.ok("artifact", "get", "sources", "-o", self.work / "restored")
        self.assertEqual(snapshot(self.work / "restored"), snapshot(self.tree))
        self.ok("artifact", "verify")

    def test_tell_each_file_once_it_is_durable(self):
        lines = self.ok("--json", "artifact", "put", "--tree", self.tree, "--name", "sources",
                        "-v").json_lines()
        self.assertEqual(sum(line.get("kind") == "file" for line in lines), 1205)
        self.assertEqual(lines[-1]["name"], "sources")

    def test_are_made_without_what_cannot_be_read_and_say_so(self):
        os.mkfifo(self.tree / "a pipe")
        result = self.fails(FAILED, "artifact", "put", "--tree", self.tree, "--name", "sources")
        self.assertTrue(result.out.startswith("sources@1"), result)
        self.assertIn("a pipe", result.err)
        self.ok("artifact", "get", "sources", "-o", self.work / "restored")
        self.assertNotIn(b"a pipe", snapshot(self.work / "restored"))

    def test_are_not_restored_over_anything(self):
        self.ok("artifact", "put", "--tree", self.tree, "--name", "sources")
        before = snapshot(self.tree)
        err = self.fails(USAGE, "artifact", "get", "sources", "-o", self.tree).err
        self.assertIn("empty", err)
        self.assertEqual(snapshot(self.tree), before)
        self.fails(USAGE, "artifact", "get", "sources")

    def test_go_through_a_node_that_runs(self):
        node = self.node()
        self.ok("artifact", "put", "--tree", self.tree, "--name", "sources")
        self.ok("artifact", "get", "sources", "-o", self.work / "restored")
        self.assertEqual(snapshot(self.work / "restored"), snapshot(self.tree))
        self.assertEqual(node.stop(), OK)


class OnATerminal(harness.CommandTest):
    """Progress of what takes long goes to standard error, and leaves nothing behind."""

    def setUp(self):
        super().setUp()
        self.tree = self.work / "tree"
        self.tree.mkdir()
        for number in range(40):
            (self.tree / f"{number}").write_bytes(os.urandom(400_000))

    def assert_drawn(self, terminal, what):
        """A line was drawn in place, taken away again, and the cursor given back."""
        self.assertEqual(terminal.wait(), OK, terminal.text)
        drawn, _, after = terminal.text.rpartition("\x1b[?25h")
        self.assertIn("\x1b[?25l", drawn)
        self.assertIn(what, drawn)
        self.assertNotIn(what, after)
        return drawn, after

    def test_put_tells_how_far_it_is(self):
        drawn, after = self.assert_drawn(
            self.terminal("artifact", "put", "--tree", self.tree, "--name", "sources"), "storing")
        self.assertRegex(drawn, r"storing  [━╸─ ]+ +\d+ %")
        self.assertRegex(drawn, r"\d+/40 files, ")
        self.assertIn("sources@1", after)

    def test_get_tells_how_far_it_is(self):
        self.ok("artifact", "put", "--tree", self.tree, "--name", "sources")
        drawn, _ = self.assert_drawn(
            self.terminal("artifact", "get", "sources", "-o", self.work / "restored"), "getting")
        self.assertRegex(drawn, r"getting  [━╸─ ]+ +\d+ %")
        self.assertEqual(snapshot(self.work / "restored"), snapshot(self.tree))

    def test_verify_tells_how_far_it_is(self):
        self.ok("artifact", "put", "--tree", self.tree, "--name", "sources")
        drawn, after = self.assert_drawn(self.terminal("artifact", "verify"), "verifying")
        self.assertIn("all is well", after)

    def test_nothing_is_drawn_where_nobody_looks(self):
        for arguments in (["put", "--tree", self.tree, "--name", "sources"],
                          ["get", "sources", "-o", self.work / "restored"], ["verify"]):
            result = self.ok("artifact", *arguments)
            self.assertNotIn("\x1b", result.out + result.err)


class Verify(harness.CommandTest):
    def test_finds_damage_and_exits_with_1(self):
        self.ok("artifact", "put", "-", "--name", "text", input=b"here it is: damage me " * 9)
        [data] = (self.home / "data").rglob("data.mdb")
        content = data.read_bytes()
        # zstd may compress the text, but keeps a beginning that occurs once as it is.
        self.assertIn(b"here it is", content)
        data.write_bytes(content.replace(b"here it is", b"hexe it is"))
        out = self.fails(FAILED, "artifact", "verify").out
        self.assertIn("1 problem", out)
        [report] = self.fails(FAILED, "--json", "artifact", "verify").json_lines()
        self.assertTrue(report["problems"])


if __name__ == "__main__":
    harness.main()
