"""Where output goes, and what becomes of a command when it cannot: full disks, pipes, signals."""

import fcntl
import json
import os
import pathlib
import signal
import subprocess
import threading
import time

import harness
from harness import CANCELLED, FAILED, NO_NODE, OK, SYMPHONY, USAGE

F_SETPIPE_SZ = 1031

WAITING = """
name = "waiting"
version = "1"
[nodes.wait]
use = "process.run"
with = { command = ["sh", "-c", "trap '' TERM; echo $$ > pid; touch started; exec sleep 1000"] }
"""

TELLING = """
name = "telling"
version = "1"
[inputs.word]
[nodes.say]
use = "process.run"
with = { command = ["printf", "%s", "${inputs.word}"] }
[outputs]
said = "${nodes.say.stdout}"
"""


def ignore_sigpipe():
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)


class OutputTest(harness.CommandTest):
    def run_to(self, stdout, *arguments, sigpipe_ignored=False):
        """Runs a command whose output goes there."""
        return subprocess.run([SYMPHONY, *arguments], env=self.env, stdout=stdout,
                              stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=self.work,
                              restore_signals=not sigpipe_ignored,
                              preexec_fn=ignore_sigpipe if sigpipe_ignored else None,
                              timeout=harness.PATIENCE_S)

    def assert_one_line(self, err, *words):
        self.assertEqual(len(err.splitlines()), 1, err)
        self.assertTrue(err.startswith(("symphony: ", '{"')), err)
        self.assert_mentions(err, *words)

    def printing_commands(self):
        self.ok("artifact", "put", "-", "--name", "x", input=b"x" * 100)
        self.melody(TELLING)
        return (["artifact", "log"], ["artifact", "log", "--json"], ["artifact", "get", "x"],
                ["operators"], ["operators", "--json"], ["config", "sample"], ["config", "show"],
                ["runs"], ["--help"], ["--version"], ["help", "run"], ["melody", "show",
                                                                      "melody.toml"],
                ["run", "melody.toml", "-i", "word=x"])

    # ---- what did not arrive --------------------------------------------------------------------

    def test_output_that_does_not_fit_on_the_disk_is_a_failure(self):
        for command in self.printing_commands():
            with self.subTest(command), open("/dev/full", "wb") as full:
                done = self.run_to(full, *command)
                self.assertEqual(done.returncode, FAILED, done)
                self.assert_one_line(done.stderr.decode(), "No space left on device")

    def test_a_closed_pipe_is_a_failure_where_sigpipe_is_ignored_as_under_systemd(self):
        for command in self.printing_commands():
            with self.subTest(command):
                read, write = os.pipe()
                os.close(read)
                done = self.run_to(write, *command, sigpipe_ignored=True)
                os.close(write)
                self.assertEqual(done.returncode, FAILED, done)
                self.assert_one_line(done.stderr.decode(), "Broken pipe")

    def test_a_closed_pipe_ends_a_command_silently_else(self):
        read, write = os.pipe()
        os.close(read)
        done = self.run_to(write, "operators")
        os.close(write)
        self.assertEqual((done.returncode, done.stderr), (-signal.SIGPIPE, b""))

    def stalled(self, *arguments):
        """A command that waits for a reader of its output which never reads."""
        read, write = os.pipe()
        fcntl.fcntl(write, F_SETPIPE_SZ, 4096)
        self.addCleanup(os.close, read)
        popen = subprocess.Popen([SYMPHONY, *arguments], env=self.env, stdout=write, cwd=self.work,
                                 stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
        os.close(write)
        self.addCleanup(popen.stderr.close)
        self.addCleanup(popen.wait)
        self.addCleanup(popen.kill)
        self.until("it waits in poll", lambda: "poll" in pathlib.Path(
            f"/proc/{popen.pid}/wchan").read_text() and self.full(read))
        return popen

    def full(self, read):
        waiting = bytearray(4)
        fcntl.ioctl(read, 0x541B, waiting)  # FIONREAD
        return int.from_bytes(waiting, "little") >= 4096

    def test_a_pipe_that_nobody_reads_does_not_keep_a_command_that_is_told_to_end(self):
        for i in range(80):
            self.ok("artifact", "put", "-", "--name", f"name-{i}", input=b"x")
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            with self.subTest(number):
                popen = self.stalled("artifact", "log", "-n", "80")
                popen.send_signal(number)
                self.assertEqual(popen.wait(harness.PATIENCE_S), 128 + number)
                self.assert_one_line(popen.stderr.read().decode(), "nobody reads the output")

    # ---- signals --------------------------------------------------------------------------------

    def start_waiting(self):
        self.melody(WAITING)
        process = self.process("run", "melody.toml")
        self.until("the program runs", (self.work / "started").exists)
        return process, int((self.work / "pid").read_text())

    def test_the_exit_code_tells_by_which_signal_a_run_was_ended(self):
        for number, code in ((signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130)):
            with self.subTest(number):
                (self.work / "started").unlink(missing_ok=True)
                process, program = self.start_waiting()
                self.assertEqual(process.stop(number), code, process.err())
                self.assertFalse(os.path.exists(f"/proc/{program}"))

    def test_after_a_second_ctrl_c_nothing_that_was_started_is_left(self):
        process, program = self.start_waiting()
        process.signal(signal.SIGINT)
        process.line_with("Ctrl-C again kills what runs")
        self.assertEqual(process.stop(signal.SIGINT), CANCELLED)
        self.assertFalse(os.path.exists(f"/proc/{program}"))
        self.assert_one_line(process.err(), "symphony run --resume")

    # ---- errors for programs --------------------------------------------------------------------

    def test_with_json_errors_are_json_too(self):
        self.melody(TELLING)
        (self.work / "bad.toml").write_text('name = "x"\nversion = "1"\n[nodes.a]\nuse = "no"\n')
        for code, arguments in ((NO_NODE, ["ps"]), (USAGE, ["nonsense"]), (USAGE, ["run"]),
                                (USAGE, ["ps", "--nonsense"]), (FAILED, ["artifact", "get", "no"]),
                                (USAGE, ["run", "melody.toml"]), (USAGE, ["run", "bad.toml"]),
                                (USAGE, ["run", "missing.toml"]), (USAGE, ["melody", "show",
                                                                           "bad.toml"]),
                                (USAGE, ["config", "show", "--set", "log.level=loud"]),
                                (USAGE, ["health", "--set", "log.level=loud"]),
                                (USAGE, ["run", "--resume", "0192"])):
            for given in (["--json", *arguments], [*arguments, "--json"]):
                with self.subTest(given):
                    result = self.fails(code, *given)
                    self.assertEqual(result.out, "")
                    for line in map(json.loads, result.err.splitlines()):
                        self.assertEqual((line["kind"], line["exitCode"]), ("error", code))
                        self.assertNotEqual(line["message"], "")
                    self.assertNotEqual(result.err, "")
            self.until_no_node()

    def test_text_from_outside_is_harmless_to_a_terminal(self):
        name = "\x1b]0;owned\x07\x9b31m"
        for arguments in (["artifact", "get", name], ["run", name], ["melody", "check", name],
                          ["help", name], [name], ["run", "--resume", name],
                          ["describe", name], ["send", name, "x"], ["ps", "--node", name]):
            with self.subTest(arguments):
                result = self.command(*arguments)
                self.assertNotEqual(result.code, OK)
                for text in (result.out, result.err):
                    self.assertNotRegex(text, r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", result)

    # ---- a directory that is gone ---------------------------------------------------------------

    def test_in_a_directory_that_is_gone_commands_work_or_say_so(self):
        file = self.work / "f"
        file.write_text("x")
        melody = self.melody(TELLING)
        for code, arguments, words in (
                (USAGE, ["run", melody, "-i", "word=x"], ["working directory"]),
                (OK, ["artifact", "put", file, "--name", "f"], []),
                (USAGE, ["artifact", "put", "f"], ["f"]), (OK, ["runs"], []),
                (OK, ["config", "show"], []), (OK, ["melody", "check", melody], [])):
            with self.subTest(arguments):
                gone = self.home / "gone"
                gone.mkdir()
                result = self.command(*arguments, cwd="/", preexec_in=gone)
                self.assertEqual(result.code, code, result)
                if code != OK:
                    self.assert_one_line(result.err, *words)

    def command(self, *arguments, preexec_in=None, **options):
        if preexec_in is None:
            return super().command(*arguments, **options)
        done = subprocess.run(["sh", "-c", 'cd "$1" && rmdir "$1" && shift && exec "$@"', "sh",
                               preexec_in, SYMPHONY, *map(str, arguments)], env=self.env,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=harness.PATIENCE_S)
        return harness.Result(arguments, done.returncode, done.stdout, done.stderr)


class MelodiesFromAnywhere(harness.CommandTest):
    def said(self, result):
        self.assertEqual(result.code, OK, result)
        return result.json_lines()[-1]["outputs"]["said"]

    def test_from_standard_input(self):
        result = self.command("--json", "run", "-", "-i", "word=hi", input=TELLING.encode())
        self.assertEqual(self.said(result), "hi")
        result = self.fails(USAGE, "run", "-", input=b"name = ")
        self.assertIn("standard input:1", result.err)

    def test_from_a_pipe(self):
        read, write = os.pipe()
        os.write(write, TELLING.encode())
        os.close(write)
        result = self.command("--json", "run", f"/dev/fd/{read}", "-i", "word=hi",
                              pass_fds=[read])
        os.close(read)
        self.assertEqual(self.said(result), "hi")

    def test_from_a_fifo(self):
        os.mkfifo(self.work / "fifo")
        writer = threading.Thread(target=(self.work / "fifo").write_text, args=[TELLING])
        writer.start()
        result = self.command("--json", "run", "fifo", "-i", "word=hi")
        writer.join()
        self.assertEqual(self.said(result), "hi")

    def test_inputs_come_from_files(self):
        self.melody(TELLING)
        (self.work / "word").write_text("two\nlines\n")
        for given, said in (("@word", "two\nlines\n"), ("@@word", "@word"), ("a@b", "a@b")):
            self.assertEqual(self.said(self.command("--json", "run", "melody.toml", "-i",
                                                    f"word={given}")), said)
        result = self.command("--json", "run", "melody.toml", "-i", "word=@-", input=b"piped")
        self.assertEqual(self.said(result), "piped")

    def test_an_input_may_be_longer_than_an_argument(self):
        self.melody("""
name = "long"
version = "1"
[inputs.text]
[nodes.write]
use = "file.write"
with = { path = "out", content = "${inputs.text}" }
""")
        text = "x" * 3_000_000
        (self.work / "text").write_text(text)
        self.ok("run", "melody.toml", "-i", "text=@text")
        self.assertEqual((self.work / "out").read_text(), text)

    def test_an_input_file_that_cannot_be_one_is_told(self):
        self.melody(TELLING)
        (self.work / "zero").write_bytes(b"a\0b")
        (self.work / "huge").touch()
        os.truncate(self.work / "huge", 17 << 20)
        for given, words in (("@missing", ["missing"]), ("@.", ["directory"]),
                             ("@zero", ["zero bytes"]), ("@huge", ["16777216"])):
            err = self.fails(USAGE, "run", "melody.toml", "-i", f"word={given}").err
            self.assert_mentions(err, "symphony: --input word: ", *words)
            self.assertEqual(len(err.splitlines()), 1, err)

    def test_a_name_that_is_nowhere_is_told_with_the_places(self):
        err = self.fails(USAGE, "run", "nowhere").err
        self.assert_mentions(err, "nowhere", str(self.home / "data/symphony/melodies"),
                             "share/symphony/melodies")


class Quiet(harness.CommandTest):
    def test_libraries_print_nothing_without_sys(self):
        self.melody(TELLING)
        script = 'mount -t tmpfs none /sys && exec "$@"'
        unshare = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, "sh"]
        if subprocess.run([*unshare, "true"], capture_output=True).returncode != 0:
            self.skipTest("no mount namespace can be made here")
        done = subprocess.run([*unshare, SYMPHONY, "run", "melody.toml", "-i", "word=x"],
                              env=self.env, cwd=self.work, capture_output=True, text=True,
                              timeout=harness.PATIENCE_S)
        self.assertEqual((done.returncode, done.stderr), (OK, ""), done)


if __name__ == "__main__":
    harness.main()
