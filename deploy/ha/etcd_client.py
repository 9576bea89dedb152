"""A small client of etcd's JSON gateway: what the prober and the promotion fence need, and no more.

Standard library only, so that nothing but Python has to be installed beside them. Every request has a
time-out, and goes to the next member when one does not answer: the machine that died may have been
carrying a member too.
"""

from __future__ import annotations

import base64
import http.client
import json
import ssl
from dataclasses import dataclass
from typing import Any


class EtcdUnavailable(Exception):
    """No member answered. Whoever asks must then do nothing: what it knows may be out of date."""


@dataclass(frozen=True)
class Entry:
    """One key as it was read."""

    key: str
    value: str
    lease: str  # it vanishes with this; "0" if it stays
    created: str  # the revision that created it: names one incarnation of the key
    changed: str  # the revision of this value


@dataclass(frozen=True)
class Tls:
    """Files in PEM for a cluster that asks for certificates."""

    authority: str
    certificate: str | None = None
    key: str | None = None

    def context(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=self.authority)
        if self.certificate:
            context.load_cert_chain(self.certificate, self.key)
        return context


def encode(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def decode(text: str) -> str:
    return base64.b64decode(text).decode()


def end_of_prefix(prefix: str) -> str:
    """The first key behind all keys that begin with the prefix."""
    return prefix[:-1] + chr(ord(prefix[-1]) + 1)


class Etcd:
    """Asks the member that answered last, then the others, one round for each request."""

    def __init__(self, members: list[str], timeout_s: float = 0.6, tls: Tls | None = None) -> None:
        if not members:
            raise ValueError("etcd: name at least one member as host:port")
        self._members = list(members)
        self._timeout_s = timeout_s
        self._tls = tls.context() if tls else None
        self._connection: http.client.HTTPConnection | None = None

    def prefix(self, prefix: str) -> dict[str, Entry]:
        """All keys that begin with the prefix, as the majority of members has them."""
        body = {"key": encode(prefix), "range_end": encode(end_of_prefix(prefix))}
        entries = {}
        for found in self._ask("/v3/kv/range", body).get("kvs", []):
            value, lease = decode(found.get("value", "")), found.get("lease", "0")
            entry = Entry(decode(found["key"]), value, lease, found["create_revision"], found["mod_revision"])
            entries[entry.key] = entry
        return entries

    def put_for(self, seconds: int, key: str, value: str) -> None:
        """Writes a key that vanishes by itself."""
        lease = self._ask("/v3/lease/grant", {"TTL": str(seconds)})["ID"]
        self._ask("/v3/kv/put", {"key": encode(key), "value": encode(value), "lease": lease})

    def delete_if_same(self, entry: Entry, rewriting: Entry | None = None, value: str = "") -> bool:
        """Deletes a key if it still is the incarnation that was read; rewrites another one in the same step."""
        unchanged = {"key": encode(entry.key), "target": "CREATE", "result": "EQUAL", "create_revision": entry.created}
        steps = [{"request_delete_range": {"key": encode(entry.key)}}]
        if rewriting:
            put = {"key": encode(rewriting.key), "value": encode(value), "lease": rewriting.lease}
            steps.append({"request_put": put})
        return bool(self._ask("/v3/kv/txn", {"compare": [unchanged], "success": steps}).get("succeeded"))

    def put_if(self, unchanged: Entry, value: str, while_holds: tuple[str, str]) -> bool:
        """Writes a key anew if nobody did since it was read, and while another key has the value named."""
        holder, held = while_holds
        compare = [
            {"key": encode(unchanged.key), "target": "MOD", "result": "EQUAL", "mod_revision": unchanged.changed},
            {"key": encode(holder), "target": "VALUE", "result": "EQUAL", "value": encode(held)},
        ]
        put = {"request_put": {"key": encode(unchanged.key), "value": encode(value), "lease": unchanged.lease}}
        return bool(self._ask("/v3/kv/txn", {"compare": compare, "success": [put]}).get("succeeded"))

    def _ask(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        reasons = []
        for _ in range(len(self._members)):
            try:
                return self._ask_first(path, json.dumps(body))
            except (OSError, http.client.HTTPException, ValueError) as reason:
                reasons.append(f"{self._members[0]}: {reason}")
                self._next_member()
        raise EtcdUnavailable("; ".join(reasons))

    def _ask_first(self, path: str, body: str) -> dict[str, Any]:
        if self._connection is None:
            self._connection = self._connect(self._members[0])
        self._connection.request("POST", path, body, {"Content-Type": "application/json"})
        response = self._connection.getresponse()
        text = response.read()
        if response.status != 200:
            raise ValueError(f"etcd answered {response.status}")
        return json.loads(text)

    def _connect(self, member: str) -> http.client.HTTPConnection:
        if self._tls:
            return http.client.HTTPSConnection(member, timeout=self._timeout_s, context=self._tls)
        return http.client.HTTPConnection(member, timeout=self._timeout_s)

    def close(self) -> None:
        """Lets go of the connection; the next question opens one again."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _next_member(self) -> None:
        self.close()
        self._members.append(self._members.pop(0))
