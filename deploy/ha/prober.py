#!/usr/bin/env python3
"""Notices within a second and a half that the leading PostgreSQL no longer answers, and makes room for another.

Patroni alone waits until the leader's key in etcd runs out, which it does not let anybody set below 20
seconds. This prober asks the leader itself, five times a second: it connects and sends an SSLRequest, which
every PostgreSQL answers with one letter before it asks who is there. A bare connect would not do: the kernel
accepts connections for a process that is frozen.

After --silence seconds without an answer, or --refusal seconds of refused connections (the machine is there,
its PostgreSQL is not), it writes down its suspicion in etcd. When --votes probers suspect
the same incarnation of the leader, it deletes the leader's key, if it still is that incarnation, and Patroni
elects at once. In the same step it takes the address of the silent node's REST interface out of etcd, or the
others would spend two seconds on asking it; a node that is alive after all writes it again on its next round.

Run one beside each PostgreSQL. This is not fencing: the old leader may still run, or wake up. What keeps
that harmless is synchronous commit (the old leader cannot commit without a standby that the new one does
not have) together with the promotion fence (fence.py).

It does nothing while Patroni is paused, while the leader says that it is being restarted by an administrator,
and while etcd has no majority.
"""

from __future__ import annotations

import argparse
import logging
import signal
import socket
import struct
import sys
import time
from enum import Enum

from etcd_client import Entry, Etcd, EtcdUnavailable, Tls
from patroni_view import Member, read_view

SSL_REQUEST = struct.pack("!II", 8, 80877103)
SUSPICION_LASTS_S = 5

log = logging.getLogger("prober")


class Heard(Enum):
    ANSWER = "answers"
    NOTHING = "does not answer"
    REFUSAL = "is not running"  # its machine's kernel says that nobody listens there


def ask(host: str, port: int, timeout_s: float) -> Heard:
    """Sends an SSLRequest to a PostgreSQL, which answers it with yes or no."""
    try:
        with socket.create_connection((host, port), timeout=timeout_s) as connection:
            connection.settimeout(timeout_s)
            connection.sendall(SSL_REQUEST)
            return Heard.ANSWER if connection.recv(1) in (b"S", b"N") else Heard.NOTHING
    except ConnectionRefusedError:
        return Heard.REFUSAL
    except OSError:
        return Heard.NOTHING


class Silence:
    """For how long one incarnation of the leader has not answered, and has been refusing since."""

    def __init__(self) -> None:
        self._of: str | None = None
        self._since = 0.0
        self._refusing_since: float | None = None

    def note(self, created: str, heard: Heard, asked: float) -> None:
        """A leader that was never heard is silent from the moment it was first asked."""
        if self._of != created or heard is Heard.ANSWER:
            self._of, self._since = created, asked
        if heard is not Heard.REFUSAL:
            self._refusing_since = None
        elif self._refusing_since is None:
            self._refusing_since = asked

    def silent_s(self, at: float) -> float:
        return at - self._since

    def refusing_s(self, at: float) -> float:
        return 0.0 if self._refusing_since is None else at - self._refusing_since


class Prober:
    def __init__(self, options: argparse.Namespace, etcd: Etcd) -> None:
        self._etcd = etcd
        self._root = f"/{options.namespace}/{options.scope}/"
        # Outside Patroni's own folder, which it reads as a whole.
        self._suspicions = f"/hexiao-prober/{options.scope}/"
        self._name = options.name
        self._votes = options.votes
        self._silence_s = options.silence
        self._refusal_s = options.refusal
        self._probe_timeout_s = min(0.5, options.silence / 2)
        self._silence = Silence()

    def look(self) -> None:
        """One round: ask the leader, and act on its silence."""
        view = read_view(self._etcd, self._root)
        leader, member = view.leader, view.leading_member()
        if leader is None or member is None or view.paused or member.state == "restarting":
            return
        asked = time.monotonic()
        heard = ask(member.host, member.port, self._probe_timeout_s)
        self._silence.note(leader.created, heard, asked)
        now = time.monotonic()
        silent_s = self._silence.silent_s(now)
        if heard is Heard.ANSWER:
            return
        if silent_s >= self._silence_s or self._silence.refusing_s(now) >= self._refusal_s:
            self._suspect(leader, member, f"{member.name} {heard.value}, silent for {silent_s:.2f} s")

    def _suspect(self, leader: Entry, member: Member, why: str) -> None:
        suspicions = f"{self._suspicions}{leader.created}/"
        self._etcd.put_for(SUSPICION_LASTS_S, suspicions + self._name, why)
        votes = len(self._etcd.prefix(suspicions))
        if votes < self._votes:
            log.warning("%s; %d of %d probers say so", why, votes, self._votes)
        elif self._etcd.delete_if_same(leader, rewriting=member.entry, value=member.without_interface()):
            log.error("%s, %d probers agree: its leader key is deleted", why, votes)


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--name", required=True, help="of this prober, another on each machine")
    parser.add_argument("--etcd", required=True, help="members as host:port,host:port,host:port")
    parser.add_argument("--scope", default="hexiao", help="Patroni's scope")
    parser.add_argument("--namespace", default="service", help="Patroni's namespace, without slashes")
    parser.add_argument("--silence", type=float, default=1.5, help="seconds without an answer (0.5 to 60)")
    parser.add_argument("--refusal", type=float, default=0.8, help="seconds of refused connections (0.3 to 60)")
    parser.add_argument("--interval", type=float, default=0.2, help="seconds between questions (0.05 to 10)")
    parser.add_argument("--votes", type=int, default=2, help="how many probers must agree: the majority of them")
    parser.add_argument("--cacert", help="PEM file: etcd is spoken to over TLS, its certificate signed by this authority")
    parser.add_argument("--cert", help="PEM file with a client certificate")
    parser.add_argument("--key", help="PEM file with its key")
    options = parser.parse_args(arguments)
    if not 0.5 <= options.silence <= 60:
        parser.error("--silence: between 0.5 and 60 seconds")
    if not 0.3 <= options.refusal <= 60:
        parser.error("--refusal: between 0.3 and 60 seconds")
    if not 0.05 <= options.interval <= 10:
        parser.error("--interval: between 0.05 and 10 seconds")
    if options.votes < 1:
        parser.error("--votes: at least 1")
    return options


def main() -> None:
    options = parse(sys.argv[1:])
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    tls = Tls(options.cacert, options.cert, options.key) if options.cacert else None
    prober = Prober(options, Etcd(options.etcd.split(","), tls=tls))
    log.info("asking the leader of %s every %.2f s", options.scope, options.interval)
    while True:
        started = time.monotonic()
        try:
            prober.look()
        except (EtcdUnavailable, ValueError, KeyError) as reason:
            log.warning("cannot tell who leads: %s", reason)
        time.sleep(max(0.0, options.interval - (time.monotonic() - started)))


if __name__ == "__main__":
    main()
