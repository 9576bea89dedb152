"""A shop and its tills: sells over HTTP, and remembers when each sale was answered."""

from __future__ import annotations

import http.client
import json
import threading
import time
from dataclasses import dataclass

PAGE = 200
FACE_VALUE = 10_000_000


@dataclass(frozen=True)
class Sale:
    operation: str
    answered_at: float  # seconds of this machine's clock, as the databases' are


class Till:
    """One kept-alive connection to the server."""

    def __init__(self, address: str, key: str) -> None:
        self._connection = http.client.HTTPConnection(address.removeprefix("http://"), timeout=10)
        self._headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}

    def ask(self, method: str, path: str, body: object = None, key: str | None = None) -> dict:
        headers = self._headers | ({"Idempotency-Key": key} if key else {})
        self._connection.request(method, path, None if body is None else json.dumps(body), headers)
        response = self._connection.getresponse()
        answer = json.loads(response.read() or b"{}")
        if response.status >= 300:
            raise RuntimeError(f"{method} {path}: {response.status} {answer}")
        return answer


class Shop:
    """A merchant with cards that are worth enough for the whole drill."""

    def __init__(self, address: str, secret: str, tills: int) -> None:
        self.secret = secret
        till = Till(address, secret)
        self.merchant = till.ask("POST", "/v1/merchants", {"name": "Till"})["id"]
        rules = {
            "denominations": {"kind": "free", "min": 0, "max": 100_000_000},
            "validity": {"kind": "months", "months": 12},
            "balance_cap": 50_000_000,
            "reloadable": True,
        }
        program = {"name": "Plain", "currency": "CNY", "number_prefix": "6234", "number_length": 16, "rules": rules}
        self.program = till.ask("POST", "/v1/programs", program)["id"]
        self.cards = [self._card(till) for _ in range(tills)]

    def _card(self, till: Till) -> str:
        card = till.ask("POST", "/v1/cards", {"program": self.program})["card"]["id"]
        body = {"card": {"id": card}, "amount": FACE_VALUE, "currency": "CNY"}
        sold = till.ask("POST", "/v1/activations", body, f"activate-{card}")
        if sold["status"] != "approved":
            raise RuntimeError(f"not sold: {sold}")
        return card


class Load:
    """Tills that sell until the server is gone."""

    def __init__(self, address: str, shop: Shop) -> None:
        self.sales: list[Sale] = []
        self.errors: list[str] = []
        self._shop = shop
        self._address = address
        self._threads = [threading.Thread(target=self._sell, args=(card,), daemon=True) for card in shop.cards]
        for thread in self._threads:
            thread.start()

    def _sell(self, card: str) -> None:
        till, count = Till(self._address, self._shop.secret), 0
        while True:
            count += 1
            body = {"card": {"id": card}, "amount": 1, "currency": "CNY", "merchant": self._shop.merchant}
            try:
                answer = till.ask("POST", "/v1/redemptions", body, f"{time.time_ns():020d}-{card[-6:]}-{count}")
            except (OSError, http.client.HTTPException):
                return  # the machine is gone
            except (ValueError, RuntimeError) as reason:
                self.errors.append(str(reason))
                return
            if answer["status"] == "approved":
                self.sales.append(Sale(answer["id"], time.time()))

    def wait_until_gone(self) -> None:
        for thread in self._threads:
            thread.join(timeout=15)


def sales_in(address: str, secret: str) -> dict[str, str]:
    """Every redemption that the server knows, with its time."""
    till, found, cursor = Till(address, secret), {}, None
    while True:
        more = f"&cursor={cursor}" if cursor else ""
        page = till.ask("GET", f"/v1/operations?limit={PAGE}&kind=redemption{more}")
        found |= {item["id"]: item["at"] for item in page["items"]}
        cursor = page.get("next_cursor")
        if not cursor:
            return found
