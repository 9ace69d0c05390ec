"""symphony artifact: against a node of its own and against one that runs."""

import os
import stat
import unittest

from support import CommandTest


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


class Contents(CommandTest):
    def test_come_back_as_they_were_stored(self):
        content = bytes(range(256)) * 20_000  # several parts
        [first] = self.json_lines("artifact", "put", "-", "--name", "blob", stdin=content)
        self.assertEqual((first["name"], first["version"]), ("blob", 1))
        self.assertEqual(first["sizeBytes"], len(content))
        target = self.work / "back again\n.bin"
        self.symphony("artifact", "get", "blob", "-o", target)
        self.assertEqual(target.read_bytes(), content)
        self.assertEqual(list(self.work.iterdir()), [target])  # nothing beside it is left

    def test_have_versions_by_name(self):
        source = self.work / "a file"
        for text in ("one", "two"):
            source.write_text(text)
            self.symphony("artifact", "put", source, "--name", "notes", "--type", "text/plain")
        self.assertEqual(self.symphony("artifact", "get", "notes@1")[0], "one")
        self.assertEqual(self.symphony("artifact", "get", "notes")[0], "two")
        versions = self.json_lines("artifact", "log", "notes")
        self.assertEqual([v["version"] for v in versions], [2, 1])
        self.assertEqual(versions[0]["mediaType"], "text/plain")
        out, _ = self.symphony("artifact", "log")
        self.assertIn("notes@2", out)
        self.assertNotIn("notes@1", out)

    def test_without_a_name_are_found_by_digest(self):
        out, _ = self.symphony("artifact", "put", "-", stdin=b"nameless")
        digest = out.split()[0]
        self.assertTrue(digest.startswith("sha256:"))
        self.assertEqual(self.symphony("artifact", "get", digest)[0], "nameless")
        self.assertEqual(self.symphony("artifact", "get", digest[len("sha256:"):][:12])[0],
                         "nameless")

    def test_may_be_empty(self):
        self.symphony("artifact", "put", "-", "--name", "empty")
        self.assertEqual(self.symphony("artifact", "get", "empty")[0], "")

    def test_that_are_not_there_fail_with_1(self):
        _, err = self.symphony("artifact", "get", "nothing", exit_code=1)
        self.assertIn("nothing", err)

    def test_refuse_what_cannot_be_stored_with_2(self):
        _, err = self.symphony("artifact", "put", "missing", exit_code=2)
        self.assertIn("missing", err)
        _, err = self.symphony("artifact", "put", ".", exit_code=2)
        self.assertIn("--tree", err)
        self.symphony("artifact", "put", exit_code=2)
        self.symphony("artifact", "put", "--tree", ".", exit_code=2)


class Trees(CommandTest):
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
        out, _ = self.symphony("artifact", "put", "--tree", self.tree, "--name", "sources")
        self.assertTrue(out.startswith("sources@1"), out)
        self.assertIn("1,205 files", out)
        self.symphony("artifact", "get", "sources", "-o", self.work / "restored")
        self.assertEqual(snapshot(self.work / "restored"), snapshot(self.tree))
        self.symphony("artifact", "verify")

    def test_tell_each_file_once_it_is_durable(self):
        lines = self.json_lines("artifact", "put", "--tree", self.tree, "--name", "sources", "-v")
        self.assertEqual(sum(line.get("kind") == "file" for line in lines), 1205)
        self.assertEqual(lines[-1]["name"], "sources")

    def test_are_made_without_what_cannot_be_read_and_say_so(self):
        os.mkfifo(self.tree / "a pipe")
        out, err = self.symphony("artifact", "put", "--tree", self.tree, "--name", "sources",
                                 exit_code=1)
        self.assertTrue(out.startswith("sources@1"), out)
        self.assertIn("a pipe", err)
        self.symphony("artifact", "get", "sources", "-o", self.work / "restored")
        self.assertNotIn(b"a pipe", snapshot(self.work / "restored"))

    def test_are_not_restored_over_anything(self):
        self.symphony("artifact", "put", "--tree", self.tree, "--name", "sources")
        before = snapshot(self.tree)
        _, err = self.symphony("artifact", "get", "sources", "-o", self.tree, exit_code=2)
        self.assertIn("empty", err)
        self.assertEqual(snapshot(self.tree), before)
        self.symphony("artifact", "get", "sources", exit_code=2)

    def test_go_through_a_node_that_runs(self):
        node = self.start_node()
        self.symphony("artifact", "put", "--tree", self.tree, "--name", "sources")
        self.symphony("artifact", "get", "sources", "-o", self.work / "restored")
        self.assertEqual(snapshot(self.work / "restored"), snapshot(self.tree))
        self.assertEqual(self.stop(node), 0)


class Verify(CommandTest):
    def test_finds_damage_and_exits_with_1(self):
        self.symphony("artifact", "put", "-", "--name", "text", stdin=b"here it is: damage me " * 9)
        [data] = (self.place / "data").rglob("data.mdb")
        content = data.read_bytes()
        # zstd may compress the text, but keeps a beginning that occurs once as it is.
        self.assertIn(b"here it is", content)
        data.write_bytes(content.replace(b"here it is", b"hexe it is"))
        out, _ = self.symphony("artifact", "verify", exit_code=1)
        self.assertIn("1 problem", out)
        [report] = self.json_lines("artifact", "verify", exit_code=1)
        self.assertTrue(report["problems"])


if __name__ == "__main__":
    unittest.main()
