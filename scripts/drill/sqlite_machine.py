"""A machine with a database in a file, whose server archives to another folder."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

from program import Server, hexiao


class SqliteMachine:
    name = "sqlite"

    def __init__(self, folder: Path) -> None:
        self._home, self._archive, self._fresh = folder / "machine", folder / "archive", folder / "fresh"
        for each in (self._home, self._archive, self._fresh):
            each.mkdir()
        self.keys = folder / "keys-kept-apart"
        self.url = f"sqlite:{self._home}/hexiao.db"
        self._server: Server | None = None

    def start(self) -> str:
        self._server = Server(self.url, self.keys, "--archive", str(self._archive))
        return self._server.address

    def back_up(self) -> None:
        """The server has made a full copy when it started; this is one more, as the nightly one would be."""
        hexiao(self.url, self.keys, "backup", "--to", str(self._archive / "nightly.db"))

    def destroy(self) -> None:
        self._server.kill()
        shutil.rmtree(self._home)

    def restore(self, name: str, moment: float | None) -> str:
        """The URL of a database in a fresh place: as late as there is, or as it was at a moment."""
        url = f"sqlite:{self._fresh}/{name}.db"
        at = [] if moment is None else ["--at", datetime.fromtimestamp(moment, UTC).isoformat()]
        hexiao(url, self.keys, "restore", "--from", str(self._archive), *at)
        return url

    def clean_up(self) -> None:
        if self._server:
            self._server.kill()
