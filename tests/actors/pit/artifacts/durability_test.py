"""What the artifact store acknowledged survives kill -9 and power loss.

Arguments: the directory with artifacts_driver and, for power loss, libdisk_fault_shim.so; then
those of unittest. Environment: SYMPHONY_KILLS and SYMPHONY_POWER_CUTS (how many), SYMPHONY_SEED
(to repeat a run: every failure prints it).
"""

import errno
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import unittest

BIN = pathlib.Path(sys.argv.pop(1))
DRIVER = BIN / "artifacts_driver"
SHIM = BIN / "libdisk_fault_shim.so"
KILLS = int(os.environ.get("SYMPHONY_KILLS", "20"))
POWER_CUTS = int(os.environ.get("SYMPHONY_POWER_CUTS", "30"))
SEED = int(os.environ.get("SYMPHONY_SEED", str(random.SystemRandom().randrange(1 << 32))))
POWER_LOST = 77


def make_tree(directory, rng, files=120):
    for i in range(files):
        path = directory / f"d{i % 7}" / f"file {i}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(rng.randbytes(rng.randrange(3000)) + b"x" * rng.randrange(60_000))
    (directory / "link").symlink_to("d0")


def acknowledged(output):
    lines = [line for line in output.decode().split("\n")[:-1] if line.startswith("ack ")]
    return [line[len("ack "):] for line in lines]


def check(directory, acks):
    done = subprocess.run([DRIVER, "check", directory], input="\n".join(acks).encode(),
                          capture_output=True, timeout=60)
    return done.returncode, (done.stdout + done.stderr).decode()


class Durability(unittest.TestCase):
    def setUp(self):
        self.rng = random.Random(SEED)
        base = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="symphony-durability-", dir=base))
        self.addCleanup(shutil.rmtree, self.home, ignore_errors=True)
        self.tree = self.home / "source"
        make_tree(self.tree, self.rng)

    def assert_nothing_lost(self, directory, acks, moment):
        code, report = check(directory, acks)
        self.assertEqual(code, 0, f"SYMPHONY_SEED={SEED}, {moment}: {report[-3000:]}")

    def test_survives_kill_9_at_any_moment(self):
        directory = self.home / "node"
        acks = []
        for i in range(KILLS):
            # New content in each round, so that there is always something to write.
            (self.tree / f"new {i}").write_bytes(self.rng.randbytes(50_000))
            driver = subprocess.Popen([DRIVER, "put", directory, self.tree, str(SEED + i), "100000"],
                                      stdout=subprocess.PIPE)
            output = b""
            if i % 4 == 0:
                # So early that even opening is hit.
                moment = f"kill {i} after start"
                timer = threading.Timer(self.rng.uniform(0, 0.03), driver.kill)
            else:
                wanted = self.rng.randrange(1, 60)
                moment = f"kill {i} after {wanted} acknowledgements and a moment"
                for _ in range(wanted):
                    output += driver.stdout.readline()
                timer = threading.Timer(self.rng.uniform(0, 0.004), driver.kill)
            timer.start()
            output += driver.stdout.read()
            self.assertEqual(driver.wait(), -signal.SIGKILL, moment)
            driver.stdout.close()
            timer.join()
            acks += acknowledged(output)
            self.assert_nothing_lost(directory, acks, moment)
        self.assertGreater(len(acks), KILLS)

    def cut_power(self, directory, i, environment, count=12):
        """One run that ends in a power cut; what it had acknowledged."""
        kind, limit = self.rng.choice([("WRITE", 250), ("SYNC", 120), ("WRITE", 20), ("SYNC", 8)])
        at = self.rng.randrange(1, limit)
        driver = subprocess.run(
            [DRIVER, "put", directory, self.tree, str(SEED + i), str(count)],
            capture_output=True, timeout=60,
            env={**os.environ, "LD_PRELOAD": str(SHIM), "DISK_FAULT_DIR": str(directory),
                 "DISK_FAULT_SEED": str(SEED + i), f"DISK_FAULT_AT_{kind}": str(at),
                 **environment})
        self.assertIn(driver.returncode, (0, POWER_LOST), driver.stderr.decode()[-2000:])
        moment = f"cut {i} at {kind.lower()} {at}"
        return acknowledged(driver.stdout), driver.returncode == POWER_LOST, moment

    @unittest.skipUnless(SHIM.exists(), "built without the disk fault shim")
    def test_survives_power_loss_at_any_write_or_sync(self):
        acks, cuts = [], 0
        for i in range(POWER_CUTS):
            if i % 5 == 0:  # a new disk now and then: creation can be cut short, too
                directory, acks = self.home / f"node{i}", []
            (self.tree / f"new {i % 50}").write_bytes(self.rng.randbytes(50_000))
            more, cut, moment = self.cut_power(directory, i, {})
            cuts += cut
            acks += more
            self.assert_nothing_lost(directory, acks, moment)
        self.assertGreater(cuts, POWER_CUTS // 2, f"SYMPHONY_SEED={SEED}")

    @unittest.skipUnless(SHIM.exists(), "built without the disk fault shim")
    def test_a_disk_that_cannot_be_looked_at_is_not_taken_for_an_empty_one(self):
        directory = self.home / "node"
        done = subprocess.run([DRIVER, "put", directory, self.tree, str(SEED), "3"],
                              capture_output=True, timeout=60, check=True)
        acks = acknowledged(done.stdout)
        for number in (errno.ESTALE, errno.EIO, errno.EACCES):
            failed = subprocess.run([DRIVER, "put", directory, self.tree, str(SEED + 1), "3"],
                                    capture_output=True, timeout=60,
                                    env={**os.environ, "LD_PRELOAD": str(SHIM),
                                         "DISK_FAULT_STAT": str(number)})
            self.assertEqual(failed.returncode, 2, failed)
            self.assertEqual(acknowledged(failed.stdout), [])
            self.assert_nothing_lost(directory, acks, f"stat failed with {number}")

    @unittest.skipUnless(SHIM.exists(), "built without the disk fault shim")
    def test_files_that_were_written_survive_power_loss_whole(self):
        cuts = 0
        for i in range(POWER_CUTS):
            directory = self.home / f"files{i}"
            directory.mkdir()
            kind = self.rng.choice(["WRITE", "SYNC"])
            at = self.rng.randrange(1, 60)
            driver = subprocess.run(
                [DRIVER, "write", directory, "40"], capture_output=True, timeout=60,
                env={**os.environ, "LD_PRELOAD": str(SHIM), "DISK_FAULT_DIR": str(directory),
                     "DISK_FAULT_SEED": str(SEED + i), f"DISK_FAULT_AT_{kind}": str(at)})
            self.assertIn(driver.returncode, (0, POWER_LOST), driver.stderr.decode()[-2000:])
            cuts += driver.returncode == POWER_LOST
            moment = f"SYMPHONY_SEED={SEED}, cut {i} at {kind.lower()} {at}"
            latest = {}
            for line in acknowledged(driver.stdout):
                path, number = line.split()
                latest[path] = int(number)
            for path, number in latest.items():
                content = (directory / "new" / path).read_text()
                found = int(content.rstrip("."))
                self.assertGreaterEqual(found, number, f"{moment}: {path} is old")
                self.assertEqual(content, f"{found}" + "." * found, f"{moment}: {path} is torn")
        self.assertGreater(cuts, POWER_CUTS // 2, f"SYMPHONY_SEED={SEED}")

    def finds_losses_with(self, lmdb_flag):
        for i in range(60):
            directory = self.home / f"{lmdb_flag}{i}"
            acks, _, _ = self.cut_power(directory, i, {"DISK_FAULT_LMDB": lmdb_flag})
            code, _ = check(directory, acks)
            shutil.rmtree(directory, ignore_errors=True)
            if acks and code != 0:
                return
        self.fail(f"SYMPHONY_SEED={SEED}: no loss was found in 60 cuts with {lmdb_flag}")

    @unittest.skipUnless(SHIM.exists(), "built without the disk fault shim")
    def test_finds_the_losses_of_a_store_that_does_not_sync(self):
        self.finds_losses_with("nosync")

    @unittest.skipUnless(SHIM.exists(), "built without the disk fault shim")
    def test_finds_the_losses_of_a_store_that_does_not_sync_its_meta_page(self):
        self.finds_losses_with("nometasync")


if __name__ == "__main__":
    unittest.main()
