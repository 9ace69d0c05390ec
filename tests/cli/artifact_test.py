"""symphony artifact: against a node of its own and against one that runs."""

import os
import pathlib
import signal
import stat
import subprocess
import threading

import harness
from harness import CANCELLED, FAILED, OK, USAGE

NOBODY = 65534


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
                                                  else stat.S_IMODE(about.st_mode),
                                                  about.st_mtime_ns)
    return found


def damage(home, old, new):
    """Changes bytes of the store behind its back."""
    [data] = (home / "data").rglob("data.mdb")
    content = data.read_bytes()
    assert old in content
    data.write_bytes(content.replace(old, new))


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

    def test_replace_a_file_only_when_all_of_them_is_there(self):
        self.ok("artifact", "put", "-", "--name", "text", input=b"here it is: damage me " * 9)
        target = self.work / "file"
        for name in ("file", "file.part", "file.tmp"):
            (self.work / name).write_text("precious")
        damage(self.home, b"here it is", b"hexe it is")
        self.assertNotEqual(self.command("artifact", "get", "text", "-o", target).code, OK)
        self.ok("artifact", "put", "-", "--name", "text", input=b"other")
        self.assertEqual(target.read_text(), "precious")
        self.ok("artifact", "get", "text", "-o", target)
        self.assertEqual(target.read_text(), "other")
        self.assertEqual((self.work / "file.part").read_text(), "precious")
        self.assertEqual((self.work / "file.tmp").read_text(), "precious")
        self.assertEqual(len(list(self.work.iterdir())), 3)

    def test_go_where_a_link_leads_and_into_pipes_and_devices(self):
        self.ok("artifact", "put", "-", "--name", "text", input=b"content")
        real = self.work / "real"
        real.write_text("old")
        link = self.work / "link"
        link.symlink_to("real")
        self.ok("artifact", "get", "text", "-o", link)
        self.assertTrue(link.is_symlink())
        self.assertEqual(real.read_text(), "content")
        null = self.work / "null"
        null.symlink_to("/dev/null")
        self.ok("artifact", "get", "text", "-o", null)
        self.assertTrue(stat.S_ISCHR(os.stat("/dev/null").st_mode))
        pipe = self.work / "pipe"
        os.mkfifo(pipe)
        read = []
        reader = threading.Thread(target=lambda: read.append(pipe.read_text()))
        reader.start()
        self.ok("artifact", "get", "text", "-o", pipe)
        reader.join()
        self.assertEqual(read, ["content"])
        self.assertTrue(stat.S_ISFIFO(pipe.stat().st_mode))

    def test_wait_for_pipes_no_longer_than_they_are_told_to(self):
        self.ok("artifact", "put", "-", "--name", "text", input=b"content")
        pipe = self.work / "pipe"
        os.mkfifo(pipe)
        for arguments in (["put", pipe], ["get", "text", "-o", pipe]):
            waiting = self.process("artifact", *arguments)
            # Once it holds signals back it reads them where it waits.
            self.until("it listens for signals", lambda w=waiting: self.holds_back(
                w, signal.SIGINT))
            self.assertEqual(waiting.stop(signal.SIGINT), CANCELLED, waiting.err())

    def holds_back(self, process, number):
        status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
        return int(status.split("SigBlk:")[1].split()[0], 16) & (1 << (number - 1))

    def test_of_a_pipe_are_what_is_written_into_it(self):
        pipe = self.work / "pipe"
        os.mkfifo(pipe)
        writer = threading.Thread(target=lambda: pipe.write_text("through a pipe"))
        writer.start()
        self.ok("artifact", "put", pipe, "--name", "piped")
        writer.join()
        self.assertEqual(self.ok("artifact", "get", "piped").out, "through a pipe")

    def test_that_were_damaged_are_repaired_by_putting_them_again(self):
        text = b"here it is: damage me " * 9
        self.ok("artifact", "put", "-", "--name", "text", input=text)
        damage(self.home, b"here it is", b"hexe it is")
        self.assertNotEqual(self.command("artifact", "get", "text").code, OK)
        self.ok("artifact", "put", "-", "--name", "text", input=text)
        self.assertEqual(self.ok("artifact", "get", "text@1").out, text.decode())
        self.ok("artifact", "verify")

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

    def test_keep_times_holes_and_hard_links(self):
        (self.tree / "sparse").touch()
        os.truncate(self.tree / "sparse", 50_000_000)
        with open(self.tree / "sparse", "r+b") as file:
            file.seek(20_000_000)
            file.write(b"an island")
        os.link(self.tree / "large", self.tree / "in ner" / "the same")
        for path in (self.tree / "run.sh", self.tree / "empty", self.tree / "link"):
            os.utime(path, ns=(0, 981_173_106_123_456_789), follow_symlinks=False)
        self.ok("artifact", "put", "--tree", self.tree, "--name", "sources")
        restored = self.work / "restored"
        self.ok("artifact", "get", "sources", "-o", restored)
        self.assertEqual(snapshot(restored), snapshot(self.tree))
        self.assertTrue(os.path.samefile(restored / "large", restored / "in ner" / "the same"))
        self.assertLess((restored / "sparse").stat().st_blocks * 512, 1_000_000)

    def test_do_not_keep_what_makes_programs_run_as_somebody_else_and_say_so(self):
        (self.tree / "run.sh").chmod(0o4755)
        self.ok("artifact", "put", "--tree", self.tree, "--name", "sources")
        result = self.ok("artifact", "get", "sources", "-o", self.work / "restored")
        self.assertEqual(stat.S_IMODE((self.work / "restored/run.sh").stat().st_mode), 0o755)
        self.assertIn("set-user", result.err)

    def test_say_once_what_they_do_not_keep(self):
        if os.geteuid() != 0:
            self.skipTest("only root can give files away")
        for name in ("zero", "large"):
            os.chown(self.tree / name, NOBODY, NOBODY)
        result = self.ok("artifact", "put", "--tree", self.tree, "--name", "sources")
        self.assertEqual(result.err.count("owners are not kept"), 1)

    def test_come_back_for_a_plain_user_with_directories_that_forbid_writing(self):
        if os.geteuid() != 0:
            self.skipTest("runs as a plain user already")
        (self.tree / "in ner" / "deep").chmod(0o555)
        (self.tree / "in ner").chmod(0o555)
        for directory, names, files in os.walk(self.home):
            for name in [".", *names, *files]:
                os.chown(os.path.join(directory, name), NOBODY, NOBODY, follow_symlinks=False)
        done = [self.as_nobody("artifact", "put", "--tree", self.tree, "--name", "sources"),
                self.as_nobody("artifact", "get", "sources", "-o", self.work / "restored")]
        self.assertEqual([result.code for result in done], [OK, OK], [str(d) for d in done])
        self.assertEqual(snapshot(self.work / "restored"), snapshot(self.tree))

    def test_leave_out_the_store_itself(self):
        (self.home / "work" / "file").write_bytes(os.urandom(300_000))
        for _ in range(3):
            result = self.command("artifact", "put", "--tree", self.home, "--name", "home")
            self.assertIn("where this is stored", result.err)
        [data] = (self.home / "data").rglob("data.mdb")
        self.assertLess(data.stat().st_blocks * 512, 12_000_000)
        self.assertEqual(self.fails(USAGE, "artifact", "put", "--tree", data.parent, "--name",
                                    "store").out, "")

    def test_are_made_without_a_path_that_is_too_long(self):
        at = os.open(self.tree, os.O_RDONLY)
        for _ in range(50):
            os.mkdir("d" * 100, dir_fd=at)
            inner = os.open("d" * 100, os.O_RDONLY, dir_fd=at)
            os.close(at)
            at = inner
        os.close(at)
        result = self.fails(FAILED, "artifact", "put", "--tree", self.tree, "--name", "sources")
        self.assertIn("longer than", result.err)
        self.ok("artifact", "get", "sources", "-o", self.work / "restored")
        self.assertTrue((self.work / "restored/run.sh").exists())

    def test_that_did_not_change_move_no_content(self):
        self.node()
        self.ok("artifact", "put", "--tree", self.tree, "--name", "sources")
        # A write is a transaction: here that of the listing with its version alone.
        first = self.writes(at_least=3)
        [again] = self.ok("--json", "artifact", "put", "--tree", self.tree, "--name",
                          "sources").json_lines()
        self.assertEqual(again["version"], 2)
        self.assertEqual(self.writes(at_least=first + 1), first + 1)
        (self.tree / "zero").write_text("one file is new")
        self.ok("artifact", "put", "--tree", self.tree, "--name", "sources")
        self.assertEqual(self.writes(at_least=first + 3), first + 3)

    def test_are_repaired_by_putting_them_again(self):
        (self.tree / "odd").write_bytes(b"here it is: damage me " * 9)
        self.ok("artifact", "put", "--tree", self.tree, "--name", "sources")
        damage(self.home, b"here it is", b"hexe it is")
        out = self.fails(FAILED, "artifact", "verify", "--repair").out
        self.assertIn("sources@1: odd", out)  # what to put again
        self.ok("artifact", "put", "--tree", self.tree, "--name", "sources")
        self.ok("artifact", "verify")
        self.ok("artifact", "get", "sources@1", "-o", self.work / "restored")
        self.assertEqual(snapshot(self.work / "restored"), snapshot(self.tree))

    def writes(self, at_least):
        """How many there were, by the store's own words, which come a little later."""
        def counted():
            line = self.component("/pit/artifacts")["stateLine"]
            number = int(line.split(" write")[0].replace(",", "")) if " write" in line else 0
            return number if number >= at_least else None
        return self.until(f"{at_least} writes are told", counted)

    def as_nobody(self, *arguments):
        """The command as a plain user."""
        def become():
            os.setgroups([])
            os.setresgid(NOBODY, NOBODY, NOBODY)
            os.setresuid(NOBODY, NOBODY, NOBODY)
        done = subprocess.run([harness.SYMPHONY, *map(str, arguments)], env=self.env,
                              stdin=subprocess.DEVNULL, capture_output=True, cwd=self.work,
                              timeout=harness.PATIENCE_S, preexec_fn=become)
        return harness.Result(["symphony", *map(str, arguments)], done.returncode,
                              done.stdout.decode(), done.stderr.decode())

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
        self.assertIn("text@1", report["problems"][0])

    def test_removes_what_is_damaged_and_of_no_use_when_asked_to(self):
        self.ok("artifact", "put", "-", input=b"here it is: damage me " * 9)
        damage(self.home, b"here it is", b"hexe it is")
        self.fails(FAILED, "artifact", "verify")
        self.assertIn("were removed", self.ok("artifact", "verify", "--repair").out)
        self.assertIn("all is well", self.ok("artifact", "verify").out)


class Uploads(harness.CommandTest):
    def test_end_with_their_peers(self):
        node = self.node()
        for _ in range(70):  # more than may be open at a time
            self.ok("send", "/pit/artifacts", "begin", "{}")
        self.ok("artifact", "put", "-", "--name", "text", input=b"x")
        self.assertEqual(node.stop(), OK)


if __name__ == "__main__":
    harness.main()
