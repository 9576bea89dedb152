"""What happens to a leader, and how it comes back.

A kind says which parts of the machine it hits and with what. Parts are hit from Patroni down, so that
nothing tidies up before it is hit itself.
"""

from __future__ import annotations

import random
import signal
import time
from dataclasses import dataclass

import processes
from cluster import Machine

DATABASE = ("patroni", "postgres")
WHOLE_MACHINE = ("patroni", "postgres", "etcd", "prober")
STARTED_AGAIN = ("etcd", "patroni", "prober")


@dataclass(frozen=True)
class Kind:
    name: str
    parts: tuple[str, ...]
    freezes: bool
    thaws_after_s: tuple[float, float] | None = None  # while the election runs, instead of after it
    twice: bool = False  # the successor is killed as soon as it has answered once


KINDS = {
    kind.name: kind
    for kind in (
        Kind("kill", DATABASE, freezes=False),
        Kind("kill-machine", WHOLE_MACHINE, freezes=False),
        Kind("freeze", DATABASE, freezes=True),
        Kind("freeze-machine", WHOLE_MACHINE, freezes=True),
        # The dangerous moments: the old leader wakes up while it is being replaced.
        Kind("thaw", DATABASE, freezes=True, thaws_after_s=(1.2, 3.0)),
        Kind("kill-twice", DATABASE, freezes=False, twice=True),
        # Patroni alive, PostgreSQL gone; and the other way round, where only the time-out of 20 s detects.
        Kind("kill-postgres", ("postgres",), freezes=False),
        Kind("freeze-patroni", ("patroni",), freezes=True),
    )
}


def strike(machine: Machine, kind: Kind) -> float:
    """Kills or freezes; the moment at which it was done."""
    pids = [pid for part in kind.parts for pid in machine.pids(part)]
    processes.send(pids, signal.SIGSTOP if kind.freezes else signal.SIGKILL)
    # A child that was forked between looking and hitting.
    late = [pid for part in kind.parts for pid in machine.pids(part) if pid not in pids]
    processes.send(late, signal.SIGSTOP if kind.freezes else signal.SIGKILL)
    return time.monotonic()


def thaw(machine: Machine) -> None:
    processes.send([pid for part in WHOLE_MACHINE for pid in machine.pids(part)], signal.SIGCONT)


def bring_back(machine: Machine) -> None:
    """As after a restart of the machine: what is there runs on, what is not is started."""
    thaw(machine)
    for part in STARTED_AGAIN:
        machine.start(part)


def thaw_moment(kind: Kind, dice: random.Random) -> float | None:
    return dice.uniform(*kind.thaws_after_s) if kind.thaws_after_s else None
