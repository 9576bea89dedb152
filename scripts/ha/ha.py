#!/usr/bin/env python3
"""Starts the three-node set-up of deploy/ha on loopback, kills and freezes its leader under load again and
again, and says in one line of JSON what that cost: {"kills", "lost", "rto_p50_s", "rto_max_s", …}.

Progress goes to standard error. Exit 1: something was lost or doubled, or the set-up did not recover.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "deploy" / "ha"))

import faults
import processes
from acknowledged import AckLog
from cluster import Cluster, ClusterTrouble, Machine, until
from faults import KINDS, Kind
from hexiao_nodes import RELEASE, Nodes
from http_load import HttpLoad, NoAnswer
from raw_load import RawLoad

DEFAULT_KINDS = "kill,freeze,kill-machine,thaw,kill,freeze-machine,kill-twice,kill-postgres"
ANSWER_WITHIN_S = 90.0
SETTLE_WITHIN_S = 90.0


def say(text: str) -> None:
    print(f"ha: {text}", file=sys.stderr, flush=True)


@dataclass
class Outcome:
    """How long each fault kept writers waiting, by kind."""

    rto_s: dict[str, list[float]] = field(default_factory=dict)
    struck: int = 0

    def add(self, kind: str, seconds: float) -> None:
        self.rto_s.setdefault(kind, []).append(seconds)

    def report(self) -> dict:
        # After two deaths one machine of three is left, and strict mode answers nothing on purpose until
        # another is back: a figure about the restart, so it stands beside the others, not among them.
        single = [seconds for kind, all_of_it in self.rto_s.items() if not kind.startswith("second") for seconds in all_of_it]
        by_kind = {kind: {"n": len(of), "p50_s": round(statistics.median(of), 2), "max_s": round(max(of), 2)} for kind, of in sorted(self.rto_s.items())}
        return {
            "rto_p50_s": round(statistics.median(single), 2) if single else None,
            "rto_max_s": round(max(single), 2) if single else None,
            "by_kind": by_kind,
        }


class Run:
    def __init__(self, cluster: Cluster, acknowledged: AckLog, dice: random.Random) -> None:
        self._cluster = cluster
        self._acknowledged = acknowledged
        self._dice = dice
        self.outcome = Outcome()

    def _leader(self) -> Machine:
        until(lambda: self._cluster.leader() is not None, SETTLE_WITHIN_S, "a leader")
        leader = self._cluster.leader()
        if leader is None:
            raise ClusterTrouble("the leader vanished while nothing was done to it")
        return leader

    def _wait_for_answer(self, since: float, thaw_at: float | None, victim: Machine) -> float:
        """Seconds from a fault to the first acknowledged write."""
        give_up = since + ANSWER_WITHIN_S
        while time.monotonic() < give_up:
            first = self._acknowledged.first_sent_after(since)
            if thaw_at is not None and time.monotonic() >= thaw_at:
                faults.thaw(victim)
                thaw_at = None
            if first is not None and thaw_at is None:
                return first.answered - since
            time.sleep(0.005)
        raise ClusterTrouble(f"no write was acknowledged within {ANSWER_WITHIN_S:.0f} s")

    def strike(self, kind: Kind) -> None:
        """One fault, from a settled cluster to a settled cluster."""
        self._cluster.wait_until_settled(SETTLE_WITHIN_S)
        time.sleep(self._dice.uniform(0.5, 1.5))
        victim = self._leader()
        struck = faults.strike(victim, kind)
        self.outcome.struck += 1
        thaw_after = faults.thaw_moment(kind, self._dice)
        took = self._wait_for_answer(struck, struck + thaw_after if thaw_after else None, victim)
        self.outcome.add(kind.name, took)
        say(f"{self.outcome.struck}: {kind.name} of {victim.name}: {took:.2f} s")
        if kind.twice:
            self._strike_successor(kind, victim)
        time.sleep(self._dice.uniform(0.0, 1.0))
        faults.bring_back(victim)

    def _strike_successor(self, kind: Kind, first: Machine) -> None:
        """Kills the successor at its first answer, while the first victim is just coming back."""
        successor = self._leader()
        struck = faults.strike(successor, kind)
        self.outcome.struck += 1
        faults.bring_back(first)
        took = self._wait_for_answer(struck, None, successor)
        self.outcome.add("second-kill", took)
        say(f"{self.outcome.struck}: second kill, of {successor.name}: {took:.2f} s")
        faults.bring_back(successor)


def make_load(cluster: Cluster, options: argparse.Namespace, folder: Path) -> tuple[RawLoad | HttpLoad, Nodes | None]:
    if options.load == "sql":
        return RawLoad(cluster.hosts(), cluster.superuser_password, options.writers), None
    nodes = Nodes(cluster, options.binary.absolute(), folder / "hexiao", options.nodes)
    say(f"starting {options.nodes} nodes of Hexiao")
    nodes.start()
    return HttpLoad(nodes.addresses, nodes.demo, options.writers), nodes


def play(cluster: Cluster, load: RawLoad | HttpLoad, nodes: Nodes | None, options: argparse.Namespace) -> dict:
    dice = random.Random(options.seed)
    run = Run(cluster, load.acknowledged, dice)
    load.start()
    until(lambda: len(load.acknowledged.all()) > 100, 60, "a hundred acknowledged writes")
    kinds = [KINDS[name] for name in options.kinds.split(",")]
    turn = 0
    while run.outcome.struck < options.kills:
        run.strike(kinds[turn % len(kinds)])
        turn += 1
    cluster.wait_until_settled(SETTLE_WITHIN_S)
    time.sleep(1)
    load.stop()
    say(f"{len(load.acknowledged.all())} writes were acknowledged; comparing them with the books")
    audited = load.audit()
    if nodes is not None:
        audited["verify_clean"] = nodes.verify()
        if not audited["verify_clean"]:
            say(nodes.verify_tail())
    report = run.outcome.report()
    frozen = sum(of["n"] for name, of in report["by_kind"].items() if name in KINDS and KINDS[name].freezes)
    head = {"kills": run.outcome.struck, "lost": audited.pop("lost")}
    return head | report | {"freezes": frozen} | audited | {"load": options.load, "seed": options.seed}


def sound(report: dict) -> bool:
    """Nothing lost, doubled or altered, no error that a client could not get over, books that balance."""
    return not any(report.get(count) for count in ("lost", "doubled", "altered", "client_errors")) and report.get("verify_clean", True)


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=10, help="how often the leader is killed or frozen (1 to 1000)")
    parser.add_argument("--kinds", default=DEFAULT_KINDS, help=f"in turn, of: {', '.join(KINDS)}")
    parser.add_argument("--seed", type=int, default=1, help="of the moments at which it happens")
    parser.add_argument("--load", choices=["hexiao", "sql"], default="hexiao", help="sales through nodes of Hexiao, or plain SQL")
    parser.add_argument("--nodes", type=int, default=2, help="of Hexiao (1 to 8)")
    parser.add_argument("--binary", type=Path, default=RELEASE, help="of Hexiao")
    parser.add_argument("--writers", type=int, default=4, help="clients of the load (1 to 64)")
    parser.add_argument("--folder", type=Path, help="keep everything here instead of in a temporary folder")
    options = parser.parse_args(arguments)
    for name in options.kinds.split(","):
        if name not in KINDS:
            parser.error(f"--kinds: no kind {name!r}; there are: {', '.join(KINDS)}")
    if not 1 <= options.kills <= 1000:
        parser.error("--kills: between 1 and 1000")
    if not 1 <= options.writers <= 64:
        parser.error("--writers: between 1 and 64")
    if not 1 <= options.nodes <= 8:
        parser.error("--nodes: between 1 and 8")
    return options


def stopped(number: int, _: object) -> None:
    raise SystemExit(128 + number)


def main() -> int:
    options = parse(sys.argv[1:])
    processes.adopt_orphans()
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGALRM):
        signal.signal(number, stopped)
    # Whatever hangs, this ends: a minute for each fault on top of the start.
    signal.alarm(300 + 60 * options.kills)
    with tempfile.TemporaryDirectory(prefix="hexiao-ha-", ignore_cleanup_errors=True) as temporary:
        folder = options.folder or Path(temporary)
        folder.mkdir(exist_ok=True)
        cluster = Cluster(folder)
        try:
            say("starting three members of etcd, three Patronis with PostgreSQL, three probers")
            cluster.start()
            load, nodes = make_load(cluster, options, folder)
            report = play(cluster, load, nodes, options)
        except (ClusterTrouble, NoAnswer) as trouble:
            say(str(trouble))
            for machine in cluster.machines.values():
                for part in ("patroni", "prober"):
                    print(f"--- {machine.name} {part}\n{machine.log_tail(part)}", file=sys.stderr)
            return 1
        finally:
            processes.end_everything()
    print(json.dumps(report))
    return 0 if sound(report) else 1


if __name__ == "__main__":
    sys.exit(main())
