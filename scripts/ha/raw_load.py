"""A load of plain SQL: shows what the cluster itself does, with no Hexiao in front of it.

Each writer inserts rows with ids of its own, one transaction each, and counts a row as acknowledged when the
server says that it committed. When in doubt (no answer in time, connection gone) it sends the same id again
to whoever leads then; the primary key keeps that from counting twice.

The connection is driven without the usual conveniences: those cancel a statement that takes too long, and a
cancelled wait for the standby reports a commit that may be lost.
"""

from __future__ import annotations

import select
import threading
import time

import psycopg
from acknowledged import AckLog
from psycopg import pq

TABLE = "CREATE TABLE IF NOT EXISTS ha_written (id text PRIMARY KEY, at timestamptz NOT NULL DEFAULT clock_timestamp())"
WRITE = b"INSERT INTO ha_written (id) VALUES ($1) ON CONFLICT DO NOTHING"
CONNECT_WITHIN_S = 0.5
ANSWER_WITHIN_S = 1.0
# Leaves the processors to the databases: the load is there to notice, not to saturate.
PAUSE_S = 0.004


class Gone(Exception):
    """No answer: whether the statement took effect is unknown."""


class Connection:
    """One connection to a server that accepts writes, every step bounded in time."""

    def __init__(self, host: str, port: int, password: str) -> None:
        info = f"host={host} port={port} user=postgres password={password} dbname=postgres"
        self._pg = pq.PGconn.connect_start(info.encode())
        give_up = time.monotonic() + CONNECT_WITHIN_S
        try:
            while (state := self._pg.connect_poll()) != pq.PollingStatus.OK:
                if state == pq.PollingStatus.FAILED:
                    raise Gone(self._pg.get_error_message())
                self._wait(give_up, writing=state == pq.PollingStatus.WRITING)
            self._pg.nonblocking = 1
            if self.execute(b"SELECT pg_is_in_recovery()", [], give_up) != b"f":
                raise Gone("not the leader")
        except Gone:
            self.close()
            raise

    def _wait(self, give_up: float, writing: bool = False) -> None:
        left = give_up - time.monotonic()
        sockets = [self._pg.socket]
        ready = select.select([] if writing else sockets, sockets if writing else [], [], max(0.0, left))
        if left <= 0 or not any(ready):
            raise Gone("no answer in time")

    def execute(self, statement: bytes, parameters: list[bytes], give_up: float) -> bytes | None:
        """Runs one statement; the first value of its first row, if it has any."""
        try:
            self._pg.send_query_params(statement, parameters)
            while self._pg.flush():
                self._wait(give_up, writing=True)
            value = None
            while True:
                while self._pg.is_busy():
                    self._wait(give_up)
                    self._pg.consume_input()
                result = self._pg.get_result()
                if result is None:
                    return value
                if result.status not in (pq.ExecStatus.COMMAND_OK, pq.ExecStatus.TUPLES_OK):
                    raise Gone(result.get_error_message())
                value = result.get_value(0, 0) if result.ntuples else None
        except psycopg.OperationalError as reason:
            raise Gone(str(reason)) from reason

    def close(self) -> None:
        self._pg.finish()


class RawLoad:
    """A few writers, until told to stop."""

    def __init__(self, hosts: list[tuple[str, int]], password: str, writers: int) -> None:
        self._hosts = hosts
        self._password = password
        self.acknowledged = AckLog()
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._write, args=(number,), daemon=True) for number in range(writers)]

    def start(self) -> None:
        connection = self._connect(0)
        connection.execute(TABLE.encode(), [], time.monotonic() + 10)
        connection.close()
        for thread in self._threads:
            thread.start()

    def _connect(self, first: int) -> Connection:
        """Tries one host after the other until one of them leads."""
        turn = first
        while not self._stop.is_set():
            host, port = self._hosts[turn % len(self._hosts)]
            turn += 1
            try:
                return Connection(host, port, self._password)
            except (Gone, psycopg.OperationalError):
                time.sleep(0.02)
        raise Gone("stopped")

    def _write(self, number: int) -> None:
        connection: Connection | None = None
        count = 0
        while not self._stop.is_set():
            count += 1
            id, first_sent, answered = f"{number}-{count}", time.monotonic(), False
            while not answered and not self._stop.is_set():
                try:
                    connection = connection or self._connect(number)
                    sent = time.monotonic()
                    connection.execute(WRITE, [id.encode()], sent + ANSWER_WITHIN_S)
                    self.acknowledged.add(id, first_sent, sent)
                    answered = True
                except Gone:
                    if connection:
                        connection.close()
                    connection = None
            time.sleep(PAUSE_S)

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(timeout=10)

    def audit(self) -> dict[str, int]:
        """Compares what was acknowledged with what the present leader has."""
        self._stop.clear()
        connection = self._connect(0)
        give_up = time.monotonic() + 60
        listed = connection.execute(b"SELECT coalesce(string_agg(id, ','), '') FROM ha_written", [], give_up) or b""
        connection.close()
        present = set(listed.decode().split(","))
        acknowledged = {each.id for each in self.acknowledged.all()}
        return {"acknowledged": len(acknowledged), "lost": len(acknowledged - present)}
