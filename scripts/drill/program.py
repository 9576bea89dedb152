"""The hexiao program and other processes, and the folder in which a drill happens."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

HEXIAO = Path(__file__).parents[2] / "target" / "release" / "hexiao"


def environment(url: str, keys: Path) -> dict[str, str]:
    """Nothing of this machine's own settings."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("HEXIAO_", "PG"))}
    return clean | {"HEXIAO_DB": url, "HEXIAO_KEYS_FILE": str(keys), "RUST_LOG": "error"}


def hexiao(url: str, keys: Path, *arguments: str) -> dict:
    done = subprocess.run([HEXIAO, *arguments, "--json"], env=environment(url, keys), capture_output=True, text=True, timeout=120)
    if done.returncode != 0:
        raise RuntimeError(f"hexiao {' '.join(arguments)}: {done.stdout} {done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


class Server:
    """A server that answers when this returns."""

    def __init__(self, url: str, keys: Path, *arguments: str) -> None:
        command = [HEXIAO, "serve", "--json", "--listen", "127.0.0.1:0", "--drain-delay", "0", *arguments]
        self._process = subprocess.Popen(command, env=environment(url, keys), stdout=subprocess.PIPE, text=True)
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the server did not start")
        self.address = json.loads(line)["address"]

    def __enter__(self) -> Server:
        return self

    def __exit__(self, failed: object, *_: object) -> None:
        if failed:
            self.kill()
        else:
            self.stop()

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        self._process.terminate()
        if self._process.wait(timeout=30) != 0:
            raise RuntimeError("the server did not stop as it should")
