"""Nodes of Hexiao in front of the cluster, as they run in a real installation: each is told every database
machine, and finds the one that leads by itself."""

from __future__ import annotations

import json
import subprocess
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import processes
from cluster import ADDRESS, Cluster, ClusterTrouble, free_ports

RELEASE = Path(__file__).resolve().parents[2] / "target" / "release" / "hexiao"
READY_WITHIN_S = 60.0


@dataclass(frozen=True)
class Demo:
    """What the demo's data tells of itself: whom the load acts as, and for what."""

    key: str
    program: str
    store: str


class Nodes:
    def __init__(self, cluster: Cluster, binary: Path, folder: Path, count: int) -> None:
        if not binary.exists():
            raise ClusterTrouble(f"there is no {binary}: make build")
        self._binary = str(binary)
        self._folder = folder
        self._cluster = cluster
        hosts = ",".join(f"{host}:{port}" for host, port in cluster.hosts())
        password = cluster.superuser_password
        self._url = f"postgres://hexiao:{password}@{hosts}/hexiao?target_session_attrs=read-write"
        self._owner_url = f"postgres://hexiao_owner:{password}@{hosts}/hexiao?target_session_attrs=read-write"
        self.addresses = [f"{ADDRESS}:{port}" for port in free_ports(count)]
        self.demo = Demo("", "", "")

    def _environment(self) -> dict[str, str]:
        return {
            "HEXIAO_DB": self._url,
            "HEXIAO_DB_OWNER": self._owner_url,
            "HEXIAO_KEYS_FILE": str(self._folder / "hexiao.keys"),
            "HEXIAO_LOG_FORMAT": "json",
        }

    def make_database(self) -> None:
        """A role that owns and migrates, and one that the nodes run as and that owns nothing."""
        leader = self._cluster.leader()
        if leader is None:
            raise ClusterTrouble("no leader to make the database on")
        password = self._cluster.superuser_password
        with self._cluster.connect(leader) as connection:
            connection.execute(f"CREATE ROLE hexiao_owner LOGIN CREATEROLE PASSWORD '{password}'")
            connection.execute(f"CREATE ROLE hexiao LOGIN PASSWORD '{password}'")
            connection.execute("CREATE DATABASE hexiao OWNER hexiao_owner")

    def start(self) -> None:
        """The first one makes the schema and the demo's data; the others join it."""
        self._folder.mkdir()
        self.make_database()
        for number, address in enumerate(self.addresses):
            arguments = [self._binary, "serve", "--json", "--listen", address] + (["--demo", "--demo-days", "0"] if number == 0 else [])
            processes.start(arguments, self._folder / f"node{number}.log", self._environment(), self._folder)
            self._wait_until_ready(number, address)
        self.demo = self._read_demo()

    def _wait_until_ready(self, number: int, address: str) -> None:
        give_up = time.monotonic() + READY_WITHIN_S
        while time.monotonic() < give_up:
            try:
                with urllib.request.urlopen(f"http://{address}/readyz", timeout=2):
                    return
            except (OSError, urllib.error.URLError):
                time.sleep(0.1)
        tail = (self._folder / f"node{number}.log").read_text(errors="replace")[-2000:]
        raise ClusterTrouble(f"node {number} is not ready within {READY_WITHIN_S:.0f} s:\n{tail}")

    def _read_demo(self) -> Demo:
        give_up = time.monotonic() + READY_WITHIN_S
        while time.monotonic() < give_up:
            for line in (self._folder / "node0.log").read_text(errors="replace").splitlines():
                try:
                    told = json.loads(line)
                except ValueError:
                    continue
                if isinstance(told, dict) and "key" in told and "store" in told:
                    return Demo(told["key"], told["programs"]["gift"], told["store"])
            time.sleep(0.1)
        raise ClusterTrouble("the first node did not tell its demo data")

    def verify(self) -> bool:
        """Whether the books balance, by the command that an operator would use."""
        arguments = [self._binary, "verify"]
        process = processes.start(arguments, self._folder / "verify.log", self._environment(), self._folder)
        try:
            return process.wait(timeout=300) == 0
        except subprocess.TimeoutExpired:
            return False

    def verify_tail(self) -> str:
        return (self._folder / "verify.log").read_text(errors="replace")[-1000:]
