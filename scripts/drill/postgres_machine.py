"""A machine with PostgreSQL, whose log another one receives as it is written (pg_receivewal)."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import time
from pathlib import Path

from program import Server

SCRIPTS = Path(__file__).parents[2] / "deploy" / "backup"
READY_WITHIN_S = 60


def programs() -> Path:
    versions = [p for p in Path("/usr/lib/postgresql").glob("*/bin/postgres")]
    if not versions:
        raise SystemExit("drill: there is no PostgreSQL here; run: scripts/setup postgresql")
    return max(versions, key=lambda path: int(path.parts[4])).parent


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Cluster:
    """A PostgreSQL server on a folder."""

    def __init__(self, data: Path, run_as: dict) -> None:
        self.data, self._as, self.port = data, run_as, free_port()
        self._process: subprocess.Popen | None = None

    def start(self) -> None:
        command = [programs() / "postgres", "-D", self.data, "-p", str(self.port), "-c", "listen_addresses=127.0.0.1"]
        command += ["-c", f"unix_socket_directories={self.data.parent}", "-c", "max_wal_size=1GB"]
        with (self.data.parent / "log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.data.parent, **self._as)
        began = time.monotonic()
        while self.ask("SELECT pg_is_in_recovery()") != "f":
            if self._process.poll() is not None or time.monotonic() - began > READY_WITHIN_S:
                raise RuntimeError((self.data.parent / "log").read_text()[-2000:])
            time.sleep(0.05)

    def ask(self, sql: str) -> str:
        command = [programs() / "psql", "-XAtq", "-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres", "-c", sql, "postgres"]
        return subprocess.run(command, capture_output=True, text=True, timeout=30).stdout.strip()

    def kill(self) -> None:
        """The postmaster and all that it started, without a chance to write anything."""
        if self._process is None:
            return
        own = f"/proc/{self._process.pid}/task/{self._process.pid}/children"
        children = Path(own).read_text().split() if Path(own).exists() else []
        self._process.kill()
        for child in children:
            try:
                os.kill(int(child), 9)
            except ProcessLookupError:
                pass
        self._process.wait()
        self._process = None

    def url(self) -> str:
        return f"postgres://postgres@127.0.0.1:{self.port}/postgres"


class PostgresMachine:
    name = "postgresql"

    def __init__(self, folder: Path) -> None:
        account = pwd.getpwnam("postgres") if os.getuid() == 0 else pwd.getpwuid(os.getuid())
        self._as = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []} if os.getuid() == 0 else {}
        self._folder, self.keys = folder, folder / "keys-kept-apart"
        for name in (".", "machine", "archive", "fresh"):
            (folder / name).mkdir(exist_ok=True)
            if self._as:
                shutil.chown(folder / name, account.pw_uid, account.pw_gid)
        self._cluster = Cluster(folder / "machine" / "data", self._as)
        self._run(programs() / "initdb", "-D", self._cluster.data, "-U", "postgres", "--auth=trust", "--encoding=UTF8")
        self._cluster.start()
        self.url = self._cluster.url()
        self._server: Server | None = None
        self._restored: list[Cluster] = []
        connection = f"host=127.0.0.1 port={self._cluster.port} user=postgres"
        self._archiving = {"HEXIAO_PG": connection, "HEXIAO_PG_ARCHIVE": str(folder / "archive"), "PATH": f"{programs()}:{os.environ['PATH']}"}
        command = [SCRIPTS / "postgres-receive"]
        self._receiver = subprocess.Popen(command, env=os.environ | self._archiving, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder, **self._as)

    def _run(self, *command: object, **more: object) -> None:
        done = subprocess.run([str(part) for part in command], capture_output=True, text=True, cwd=self._folder, timeout=120, **self._as, **more)
        if done.returncode != 0:
            raise RuntimeError(f"{command[0]}: {done.stdout} {done.stderr}")

    def start(self) -> str:
        self._server = Server(self.url, self.keys)
        return self._server.address

    def back_up(self) -> None:
        self._run(SCRIPTS / "postgres-base", env=os.environ | self._archiving)

    def destroy(self) -> None:
        self._cluster.kill()
        self._server.kill()
        shutil.rmtree(self._cluster.data)
        self._receiver.terminate()
        self._receiver.wait(timeout=10)

    def restore(self, name: str, moment: float | None) -> str:
        home = self._folder / "fresh" / name
        home.mkdir()
        if self._as:
            shutil.chown(home, self._as["user"], self._as["group"])
        target = [] if moment is None else [time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(moment)) + f".{int(moment % 1 * 1e6):06d}+00"]
        self._run(SCRIPTS / "postgres-restore", home / "data", *target, env=os.environ | self._archiving)
        cluster = Cluster(home / "data", self._as)
        self._restored.append(cluster)
        cluster.start()
        return cluster.url()

    def clean_up(self) -> None:
        if self._server:
            self._server.kill()
        for cluster in [self._cluster, *self._restored]:
            cluster.kill()
        self._receiver.kill()
