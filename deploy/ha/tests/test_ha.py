"""Tests of what decides about leaders, without a cluster: `make ha` has one.

    python3 -m unittest discover deploy/ha/tests
"""

from __future__ import annotations

import base64
import http.server
import json
import socket
import sys
import threading
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from etcd_client import Entry, Etcd, EtcdUnavailable, end_of_prefix
from patroni_view import View, parse_member, read_view
from prober import Heard, Silence, ask
from verdict import NotNow, Reached, chosen


class Chosen(unittest.TestCase):
    """Who leads: node a asks; b and c are the others."""

    def check(self, wanted: str, own: Reached, others: dict[str, Reached], standbys: str = "a b", quorum: int = 1) -> None:
        self.assertEqual(chosen("a", frozenset(standbys.split()), quorum, own, others), wanted)

    def refused(self, own: Reached, others: dict[str, Reached], standbys: str = "a b", quorum: int = 1) -> None:
        with self.assertRaises(NotNow):
            chosen("a", frozenset(standbys.split()), quorum, own, others)

    def test_as_far_as_the_others(self) -> None:
        self.check("a", Reached(1, 100), {"b": Reached(1, 100)})
        self.check("a", Reached(1, 101), {"b": Reached(1, 100)})

    def test_another_is_further(self) -> None:
        self.check("b", Reached(1, 100), {"b": Reached(1, 101)})

    def test_a_higher_position_on_an_older_timeline_is_not_further(self) -> None:
        self.check("b", Reached(7, 83_886_240), {"b": Reached(8, 77_249_632)})
        self.check("a", Reached(8, 77_249_632), {"b": Reached(7, 83_886_240)})

    def test_too_few_are_cut_off(self) -> None:
        self.refused(Reached(1, 100), {})

    def test_the_only_synchronous_standby_needs_nobody(self) -> None:
        self.check("a", Reached(1, 100), {}, standbys="a", quorum=0)

    def test_a_node_that_nobody_waited_for_needs_one_more(self) -> None:
        self.refused(Reached(1, 100), {"b": Reached(1, 100)}, standbys="b c")
        self.check("a", Reached(1, 100), {"b": Reached(1, 100), "c": Reached(1, 90)}, standbys="b c")
        self.check("c", Reached(1, 100), {"b": Reached(1, 90), "c": Reached(1, 101)}, standbys="b c")

    def test_nodes_that_nobody_waited_for_do_not_count(self) -> None:
        self.refused(Reached(1, 100), {"c": Reached(1, 100)})


class AskedServer:
    """A socket that answers what it is told, or nothing."""

    def __init__(self, answer: bytes | None) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._answer = answer
        if answer is not None:
            threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        connection, _ = self._socket.accept()
        with connection:
            connection.recv(8)
            connection.sendall(self._answer or b"")

    def close(self) -> None:
        self._socket.close()


class Ask(unittest.TestCase):
    def check(self, answer: bytes | None, wanted: Heard) -> None:
        server = AskedServer(answer)
        try:
            self.assertIs(ask("127.0.0.1", server.port, 0.2), wanted)
        finally:
            server.close()

    def test_postgresql_answers_with_a_letter(self) -> None:
        self.check(b"N", Heard.ANSWER)
        self.check(b"S", Heard.ANSWER)

    def test_a_connection_that_is_accepted_is_not_an_answer(self) -> None:
        self.check(None, Heard.NOTHING)

    def test_another_service_is_not_an_answer(self) -> None:
        self.check(b"H", Heard.NOTHING)

    def test_a_port_where_nobody_listens_refuses(self) -> None:
        server = AskedServer(None)
        server.close()
        self.assertIs(ask("127.0.0.1", server.port, 0.2), Heard.REFUSAL)


class Silences(unittest.TestCase):
    def test_counts_from_the_last_answer(self) -> None:
        silence = Silence()
        silence.note("1", Heard.ANSWER, 10.0)
        silence.note("1", Heard.NOTHING, 10.5)
        silence.note("1", Heard.NOTHING, 11.0)
        self.assertEqual(silence.silent_s(11.5), 1.5)
        silence.note("1", Heard.ANSWER, 11.6)
        self.assertEqual(silence.silent_s(11.6), 0.0)

    def test_another_leader_starts_anew(self) -> None:
        silence = Silence()
        silence.note("1", Heard.NOTHING, 10.0)
        silence.note("2", Heard.NOTHING, 12.0)
        self.assertEqual(silence.silent_s(12.5), 0.5)

    def test_refusals_count_only_in_a_row(self) -> None:
        silence = Silence()
        silence.note("1", Heard.ANSWER, 10.0)
        silence.note("1", Heard.REFUSAL, 10.2)
        self.assertAlmostEqual(silence.refusing_s(11.0), 0.8)
        silence.note("1", Heard.NOTHING, 11.0)
        self.assertEqual(silence.refusing_s(11.2), 0.0)


class FakeMember(http.server.BaseHTTPRequestHandler):
    """One member of etcd with fixed contents."""

    contents: dict[str, str] = {}
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        encode = lambda text: base64.b64encode(text.encode()).decode()
        kvs = [{"key": encode(key), "value": encode(value), "create_revision": "5", "mod_revision": "9", "lease": "77"} for key, value in self.contents.items()]
        body = json.dumps({"kvs": kvs}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


class Views(unittest.TestCase):
    def setUp(self) -> None:
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), FakeMember)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)
        self.member = f"127.0.0.1:{self.server.server_port}"

    def view(self, members: list[str], timeout_s: float = 0.6) -> View:
        etcd = Etcd(members, timeout_s=timeout_s)
        self.addCleanup(etcd.close)
        return read_view(etcd, "/service/h/")

    def test_what_patroni_keeps(self) -> None:
        FakeMember.contents = {
            "/service/h/leader": "db1",
            "/service/h/members/db1": json.dumps({"conn_url": "postgres://10.0.0.1:5433/postgres", "api_url": "http://x", "state": "running"}),
            "/service/h/members/db2": "{}",
            "/service/h/sync": json.dumps({"leader": "db1", "sync_standby": "db2,db3", "quorum": 1}),
            "/service/h/config": json.dumps({"pause": True}),
        }
        silent = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(silent.close)
        view = self.view([f"127.0.0.1:{silent.getsockname()[1]}", self.member], timeout_s=0.2)
        leading = view.leading_member()
        self.assertEqual((leading.host, leading.port), ("10.0.0.1", 5433))
        self.assertNotIn("api_url", leading.without_interface())
        self.assertEqual((view.sync_leader, view.sync_standbys, view.quorum, view.paused), ("db1", {"db2", "db3"}, 1, True))

    def test_an_empty_cluster(self) -> None:
        FakeMember.contents = {}
        view = self.view([self.member])
        self.assertIsNone(view.leader)
        self.assertEqual(view.sync_standbys, frozenset())

    def test_no_member_answers(self) -> None:
        silent = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(silent.close)
        with self.assertRaises(EtcdUnavailable):
            Etcd([f"127.0.0.1:{silent.getsockname()[1]}"], timeout_s=0.1).prefix("/")

    def test_the_end_of_a_prefix(self) -> None:
        self.assertEqual(end_of_prefix("/service/"), "/service0")
        self.assertIsNone(parse_member("x", Entry("k", "[]", "0", "1", "1")))


if __name__ == "__main__":
    unittest.main()
