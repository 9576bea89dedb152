"""Starting processes so that none outlives the run, however it ends.

Patroni starts PostgreSQL as a daemon of its own, which a plain "kill my children" misses. So this process
becomes the one that orphans are given to (PR_SET_CHILD_SUBREAPER), and at the end everything below it in the
process tree is killed, frozen or not. What is started also asks the kernel for a SIGKILL of its own should
this process be killed without a chance to clean up.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import time
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36

_started: set[int] = set()
_libc = ctypes.CDLL(None, use_errno=True)


def adopt_orphans() -> None:
    if _libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")
    signal.signal(signal.SIGCHLD, collect_orphans)


def start(arguments: list[str], log: Path, environment: dict[str, str] | None = None, folder: Path | None = None) -> subprocess.Popen:
    """Starts a process in a session of its own: Ctrl-C is for this process alone, which then cleans up."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(environment or {})},
            cwd=folder,
            start_new_session=True,
        )
    _started.add(process.pid)
    return process


def processes() -> dict[int, tuple[int, str]]:
    """Parent and state (R, S, T, Z …) of every process on this machine."""
    found = {}
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            # The name, in parentheses, may contain anything; what follows the last one is regular.
            rest = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it ended while we looked
        found[int(folder.name)] = (int(rest[1]), rest[0])
    return found


def descendants(of: int) -> list[int]:
    """Everything that runs below a process, parents first; not what is dead and only not yet collected."""
    tree = processes()
    children: dict[int, list[int]] = {}
    for pid, (parent, _) in tree.items():
        children.setdefault(parent, []).append(pid)
    found: list[int] = []
    queue = [of]
    while queue:
        below = children.get(queue.pop(), [])
        found += [pid for pid in below if tree[pid][1] != "Z"]
        queue += below
    return found


def send(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass


def working_in(folder: Path) -> list[int]:
    """Processes whose working folder this is: PostgreSQL's, all of them, work in their data folder."""
    found = []
    for pid in descendants(os.getpid()):
        try:
            if os.readlink(f"/proc/{pid}/cwd") == str(folder):
                found.append(pid)
        except OSError:
            continue
    return found


def collect_orphans(*_: object) -> None:
    """Buries adopted processes that died, at once, as the first process of a machine does: Patroni takes an
    unburied PostgreSQL for a running one. What this process started itself is for subprocess to bury."""
    own = os.getpid()
    for pid, (parent, state) in processes().items():
        if parent == own and state == "Z" and pid not in _started:
            try:
                os.waitpid(pid, os.WNOHANG)
            except ChildProcessError:
                continue


def end_everything(within_s: float = 10.0) -> None:
    give_up = time.monotonic() + within_s
    while time.monotonic() < give_up:
        below = descendants(os.getpid())
        if not below:
            return
        send(below, signal.SIGKILL)
        time.sleep(0.05)
