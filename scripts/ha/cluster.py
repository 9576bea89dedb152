"""Three machines on loopback, each with a member of etcd, a Patroni, its PostgreSQL and a prober, set up from
the very files in deploy/ha that a real installation uses."""

from __future__ import annotations

import secrets
import shutil
import socket
import string
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import processes
import psycopg
from etcd_client import Etcd, EtcdUnavailable
from patroni_view import View, read_view

ADDRESS = "127.0.0.1"
HA_FOLDER = Path(__file__).resolve().parents[2] / "deploy" / "ha"
NAMES = ("db1", "db2", "db3")
SETTLED_FOR_S = 1.5
RECEIVING = "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming' AND sync_state = 'quorum'"


class ClusterTrouble(Exception):
    """The set-up did not get where it had to be in time."""


def free_ports(count: int) -> list[int]:
    """Ports that are free now, all different."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind((ADDRESS, 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


def postgres_programs() -> Path:
    """The newest installed PostgreSQL."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    if on_path is None:
        raise ClusterTrouble("no PostgreSQL server is installed")
    return Path(on_path).parent


def until(holds: Callable[[], bool], within_s: float, what: str) -> None:
    give_up = time.monotonic() + within_s
    while not holds():
        if time.monotonic() > give_up:
            raise ClusterTrouble(f"{what}: not within {within_s:.0f} s")
        time.sleep(0.05)


class Machine:
    """One of the three. What it runs can be killed, frozen, thawed and started again."""

    def __init__(self, name: str, folder: Path, settings: dict[str, str]) -> None:
        self.name = name
        self.folder = folder
        self.settings = settings
        self.postgres_port = int(settings["POSTGRES_PORT"])
        self.data = folder / "postgres"
        self._running: dict[str, subprocess.Popen] = {}

    def _fill_in(self, template: str, target: Path) -> None:
        text = string.Template((HA_FOLDER / template).read_text(encoding="utf-8"))
        target.write_text(text.substitute(self.settings), encoding="utf-8")
        target.chmod(0o600)

    def prepare(self) -> None:
        self.folder.mkdir()
        (self.folder / "run").mkdir()
        self._fill_in("etcd.env", self.folder / "etcd.env")
        self._fill_in("patroni.yml", self.folder / "patroni.yml")

    def start(self, part: str) -> None:
        running = self._running.get(part)
        if running is not None and running.poll() is None:
            return
        arguments, environment = getattr(self, f"_command_of_{part}")()
        self._running[part] = processes.start(arguments, self.folder / f"{part}.log", environment)

    def _command_of_etcd(self) -> tuple[list[str], dict[str, str]]:
        lines = (self.folder / "etcd.env").read_text(encoding="utf-8").splitlines()
        environment = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
        return ["etcd", "--logger=zap", "--log-level=warn"], environment

    def _command_of_patroni(self) -> tuple[list[str], dict[str, str]]:
        return [sys.executable, "-m", "patroni", str(self.folder / "patroni.yml")], {}

    def _command_of_prober(self) -> tuple[list[str], dict[str, str]]:
        arguments = ["--name", self.name, "--etcd", self.settings["ETCD_HOSTS"], "--scope", self.settings["SCOPE"]]
        return [sys.executable, str(HA_FOLDER / "prober.py"), *arguments], {}

    def pids(self, part: str) -> list[int]:
        if part == "postgres":
            return processes.working_in(self.data)
        running = self._running.get(part)
        return [running.pid] if running is not None and running.poll() is None else []

    def log_tail(self, part: str, lines: int = 8) -> str:
        path = self.folder / f"{part}.log"
        if not path.exists():
            return ""
        return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])


class Cluster:
    def __init__(self, folder: Path) -> None:
        ports = free_ports(4 * len(NAMES))
        self.superuser_password = secrets.token_hex(16)
        common = {
            "SCOPE": "hexiao",
            "ADDRESS": ADDRESS,
            "NETWORK": f"{ADDRESS}/32",
            "PYTHON": sys.executable,
            "HA_FOLDER": str(HA_FOLDER),
            "POSTGRES_BIN": str(postgres_programs()),
            "SHARED_BUFFERS": "128MB",
            "WATCHDOG": "off",
            "SUPERUSER_PASSWORD": self.superuser_password,
            "REPLICATION_PASSWORD": secrets.token_hex(16),
            "REWIND_PASSWORD": secrets.token_hex(16),
            "ETCD_HOSTS": ",".join(f"{ADDRESS}:{port}" for port in ports[0:3]),
            "ETCD_CLUSTER": ",".join(f"{name}=http://{ADDRESS}:{port}" for name, port in zip(NAMES, ports[3:6], strict=True)),
        }
        self.machines = {
            name: Machine(name, folder / name, common | self._own(folder / name, name, ports[index::3]))
            for index, name in enumerate(NAMES)
        }
        self._etcd = Etcd(common["ETCD_HOSTS"].split(","))

    @staticmethod
    def _own(folder: Path, name: str, ports: list[int]) -> dict[str, str]:
        etcd, peer, patroni, postgres = map(str, ports)
        return {
            "NODE": name,
            "ETCD_PORT": etcd,
            "ETCD_PEER_PORT": peer,
            "PATRONI_PORT": patroni,
            "POSTGRES_PORT": postgres,
            "ETCD_DATA": str(folder / "etcd"),
            "POSTGRES_DATA": str(folder / "postgres"),
            "PATRONI_CONFIG": str(folder / "patroni.yml"),
            "RUN": str(folder / "run"),
        }

    def start(self) -> None:
        everyone = self.machines.values()
        for machine in everyone:
            machine.prepare()
            machine.start("etcd")
        until(self._etcd_answers, 30, "etcd has a majority")
        for machine in everyone:
            machine.start("patroni")
        self.wait_until_settled(120)
        for machine in everyone:
            machine.start("prober")

    def _etcd_answers(self) -> bool:
        return self.view() is not None

    def view(self) -> View | None:
        try:
            return read_view(self._etcd, "/service/hexiao/")
        except EtcdUnavailable:
            return None

    def leader(self) -> Machine | None:
        view = self.view()
        return self.machines.get(view.leader.value) if view and view.leader else None

    def settled(self) -> bool:
        """One leads, and both others may succeed it."""
        view = self.view()
        if view is None or view.leader is None or view.sync_leader != view.leader.value:
            return False
        return view.sync_standbys == set(NAMES) - {view.leader.value} and self._receiving(view.leader.value) == 2

    def _receiving(self, leader: str) -> int:
        """How many standbys the leader sends to and waits for; what Patroni wrote down may be older."""
        try:
            with self.connect(self.machines[leader]) as connection:
                return connection.execute(RECEIVING).fetchone()[0]
        except psycopg.Error:
            return 0

    def connect(self, machine: Machine) -> psycopg.Connection:
        return psycopg.connect(
            host=ADDRESS,
            port=machine.postgres_port,
            user="postgres",
            password=self.superuser_password,
            dbname="postgres",
            connect_timeout=2,
            autocommit=True,
        )

    def wait_until_settled(self, within_s: float) -> None:
        """Settled, and still so a while later: a node that comes back may connect before it notices that it
        has to be rewound."""
        give_up = time.monotonic() + within_s
        since: float | None = None
        while since is None or time.monotonic() - since < SETTLED_FOR_S:
            if time.monotonic() > give_up:
                raise ClusterTrouble(f"no leader with two synchronous standbys within {within_s:.0f} s")
            if not self.settled():
                since = None
            elif since is None:
                since = time.monotonic()
            time.sleep(0.1)

    def hosts(self) -> list[tuple[str, int]]:
        return [(ADDRESS, machine.postgres_port) for machine in self.machines.values()]
