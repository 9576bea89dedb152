"""A load of sales over HTTP, sent the way a till should: one idempotency key for each sale, and the same key
again, to any node, for as long as there is no answer.

Afterwards every answer is compared with what the books say: each sale that was answered has to be there once,
with the same answer, and no sale twice.
"""

from __future__ import annotations

import http.client
import json
import threading
import time
from dataclasses import dataclass

from acknowledged import AckLog
from hexiao_nodes import Demo

CARDS_EACH = 2
FACE_VALUE = 100_000  # minor units; the highest denomination of the demo's gift card
AMOUNT = 1
ATTEMPT_WITHIN_S = 15.0
GIVE_UP_AFTER_S = 90.0
PAUSE_S = 0.01
PAGE = 200
REPLAYS = 500


class NoAnswer(Exception):
    """Nothing that settles the sale: to be sent again under the same key."""


@dataclass(frozen=True)
class Answered:
    key: str
    operation: str
    status: str
    approved: int
    balance: int


def read_answer(key: str, body: dict) -> Answered:
    return Answered(key, body["id"], body["status"], body["approved"], body["card"]["balance"])


class Node:
    """One kept-alive connection to one node."""

    def __init__(self, address: str, key: str) -> None:
        self._address = address
        self._key = key
        self._connection: http.client.HTTPConnection | None = None

    def ask(self, method: str, path: str, body: object = None, idempotency_key: str | None = None) -> tuple[int, dict, bool]:
        """Status, body, and whether it was a replay."""
        headers = {"Authorization": f"Bearer {self._key}", "Content-Type": "application/json"}
        if idempotency_key:
            headers["Idempotency-Key"] = idempotency_key
        try:
            if self._connection is None:
                self._connection = http.client.HTTPConnection(self._address, timeout=ATTEMPT_WITHIN_S)
            self._connection.request(method, path, None if body is None else json.dumps(body), headers)
            response = self._connection.getresponse()
            answer = json.loads(response.read() or b"{}")
            return response.status, answer, response.getheader("Idempotent-Replayed") == "true"
        except (OSError, http.client.HTTPException, ValueError) as reason:
            self.close()
            raise NoAnswer(str(reason)) from reason

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class Till(threading.Thread):
    """Sells from cards of its own and, every fourth time, from one that all tills share."""

    def __init__(self, number: int, load: HttpLoad) -> None:
        super().__init__(daemon=True)
        self._number = number
        self._load = load
        self._nodes = [Node(address, load.demo.key) for address in load.addresses]
        self._at = number % len(self._nodes)
        self._cards: list[str] = []
        self.answered: list[Answered] = []
        self.errors: list[str] = []
        self.attempts_without_answer = 0

    def make_card(self) -> str:
        """A card that is sold and worth as much as one may be."""
        status, made, _ = self._nodes[self._at].ask("POST", "/v1/cards", {"program": self._load.demo.program, "face_value": FACE_VALUE})
        if status >= 300:
            raise NoAnswer(f"no card: {status} {made}")
        card = made["card"]["id"]
        status, sold, _ = self._nodes[self._at].ask("POST", "/v1/activations", {"card": {"id": card}, "currency": "CNY"}, f"sold-{card}")
        if status >= 300 or sold["status"] != "approved":
            raise NoAnswer(f"not sold: {status} {sold}")
        return card

    def prepare(self) -> None:
        self._cards = [self.make_card() for _ in range(CARDS_EACH)]

    def run(self) -> None:
        count = 0
        while not self._load.stopped.is_set():
            count += 1
            card = self._load.shared if count % 4 == 0 else self._cards[count % len(self._cards)]
            self._sell(card, f"{time.time_ns() // 1_000_000:012x}-{self._number}-{count}")
            time.sleep(PAUSE_S)

    def _sell(self, card: str, key: str) -> None:
        """One sale, sent until it is answered."""
        body = {"card": {"id": card}, "amount": AMOUNT, "currency": "CNY", "store": self._load.demo.store}
        first_sent = time.monotonic()
        while True:
            sent = time.monotonic()
            try:
                status, answer, _ = self._nodes[self._at].ask("POST", "/v1/redemptions", body, key)
            except NoAnswer:
                status, answer = 0, {}
            if status == 201 and answer["status"] == "approved":
                self.answered.append(read_answer(key, answer))
                self._load.acknowledged.add(key, first_sent, sent)
                return
            if status in (0, 503) and sent - first_sent < GIVE_UP_AFTER_S:
                self.attempts_without_answer += 1
                self._at = (self._at + 1) % len(self._nodes)
                time.sleep(0.05)
                continue
            self.errors.append(f"{key}: {status} {answer.get('code') or answer.get('decline')}")
            return


class HttpLoad:
    """A few tills, until told to stop."""

    def __init__(self, addresses: list[str], demo: Demo, tills: int) -> None:
        self.addresses = addresses
        self.demo = demo
        self.acknowledged = AckLog()
        self.stopped = threading.Event()
        self._tills = [Till(number, self) for number in range(tills)]
        self.shared = ""

    def start(self) -> None:
        self.shared = self._tills[0].make_card()
        for till in self._tills:
            till.prepare()
        for till in self._tills:
            till.start()

    def stop(self) -> None:
        self.stopped.set()
        for till in self._tills:
            till.join(timeout=GIVE_UP_AFTER_S + ATTEMPT_WITHIN_S)

    def _books(self) -> dict[str, list[Answered]]:
        """All redemptions as the books have them, by key."""
        node = Node(self.addresses[0], self.demo.key)
        found: dict[str, list[Answered]] = {}
        cursor = ""
        while True:
            status, page, _ = node.ask("GET", f"/v1/operations?limit={PAGE}{cursor}")
            if status != 200:
                raise NoAnswer(f"the operations cannot be listed: {status} {page}")
            for item in page["items"]:
                if item["kind"] == "redemption":
                    found.setdefault(item["key"], []).append(read_answer(item["key"], item))
            if not page.get("next_cursor"):
                return found
            cursor = f"&cursor={page['next_cursor']}"

    def _replays_differ(self, answered: list[Answered]) -> int:
        """Sends some of the sales once more: each has to be answered as before, and as a replay."""
        node = Node(self.addresses[-1], self.demo.key)
        differ = 0
        for before in answered[:: max(1, len(answered) // REPLAYS)]:
            _, found, _ = node.ask("GET", f"/v1/operations/{before.operation}")
            body = {"card": {"id": found["card"]["id"]}, "amount": AMOUNT, "currency": "CNY", "store": self.demo.store}
            _, answer, replayed = node.ask("POST", "/v1/redemptions", body, before.key)
            if not replayed or read_answer(before.key, answer) != before:
                differ += 1
        return differ

    def audit(self) -> dict[str, int]:
        answered = [each for till in self._tills for each in till.answered]
        errors = [error for till in self._tills for error in till.errors]
        books = self._books()
        present = {key: entries[0] for key, entries in books.items()}
        waits = sorted(each.answered - each.first_sent for each in self.acknowledged.all())
        return {
            "acknowledged": len(answered),
            "lost": sum(each.key not in present for each in answered),
            "altered": sum(each.key in present and present[each.key] != each for each in answered) + self._replays_differ(answered),
            "doubled": sum(len(entries) > 1 for entries in books.values()),
            "client_errors": len(errors),
            "attempts_without_answer": sum(till.attempts_without_answer for till in self._tills),
            "sale_p50_ms": round(waits[len(waits) // 2] * 1000, 1) if waits else 0,
            "sale_max_s": round(waits[-1], 2) if waits else 0,
            **({"first_error": errors[0]} if errors else {}),
        }
