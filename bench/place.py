"""A home of its own for what is measured, so that nothing but this run is in it."""

import contextlib
import os
import pathlib
import shutil
import subprocess
import tempfile
import time


@contextlib.contextmanager
def place(disk=None):
    """(directory, environment) with empty XDG directories; gone afterwards."""
    home = pathlib.Path(tempfile.mkdtemp(prefix="symphony-bench-", dir=disk)).resolve()
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("SYMPHONY_", "XDG_"))}
    for name in ("runtime", "data", "cache"):
        (home / name).mkdir(mode=0o700)
    environment.update(XDG_RUNTIME_DIR=str(home / "runtime"), XDG_DATA_HOME=str(home / "data"),
                       XDG_CACHE_HOME=str(home / "cache"), HOME=str(home))
    try:
        yield home, environment
    finally:
        shutil.rmtree(home, ignore_errors=True)


def stop_node(binary, home, environment):
    """Stops the node that a command started, and waits until it is gone."""
    subprocess.run([binary, "stop"], env=environment, cwd=home, check=True,
                   stdout=subprocess.DEVNULL)
    while any((home / "runtime/symphony").iterdir()):
        time.sleep(0.01)
