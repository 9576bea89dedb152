"""What Patroni keeps in etcd about its cluster, read in one request: who leads, who else there is, whose
acknowledgement a commit waited for.

The layout is Patroni's own (documentation: "DCS" keys under /namespace/scope/): `leader` holds a name,
`members/NAME` a JSON object with `conn_url`, `sync` one with `leader`, `sync_standby` and `quorum`, and
`config` the dynamic configuration.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from urllib.parse import urlsplit

from etcd_client import Entry, Etcd


@dataclass(frozen=True)
class Member:
    name: str
    host: str
    port: int
    state: str
    entry: Entry

    def without_interface(self) -> str:
        """What its key would hold if it had no REST interface: the others then do not ask it."""
        data = read_json(self.entry)
        data.pop("api_url", None)
        return json.dumps(data)


@dataclass(frozen=True)
class View:
    leader: Entry | None
    members: dict[str, Member]
    sync: Entry | None
    sync_leader: str | None  # the last leader that wrote down whose acknowledgement it waits for
    sync_standbys: frozenset[str]  # named by the leader: a commit may have waited for any of them
    quorum: int  # how many other votes Patroni asks for before one of them may lead
    paused: bool  # an administrator has taken the wheel: nothing automatic may happen

    def leading_member(self) -> Member | None:
        return self.members.get(self.leader.value) if self.leader else None


def read_json(entry: Entry | None) -> dict:
    """The object in an entry; an empty one where there is none, as in a cluster that just begins."""
    if entry is None or not entry.value:
        return {}
    value = json.loads(entry.value)
    return value if isinstance(value, dict) else {}


def parse_member(name: str, entry: Entry) -> Member | None:
    data = read_json(entry)
    where = urlsplit(data.get("conn_url", ""))
    if not where.hostname:
        return None
    return Member(name, where.hostname, where.port or 5432, str(data.get("state", "")), entry)


def read_view(etcd: Etcd, root: str) -> View:
    """`root` is /namespace/scope/, with both slashes."""
    entries = etcd.prefix(root)
    members = {}
    for key, entry in entries.items():
        name = key.removeprefix(root + "members/")
        member = parse_member(name, entry) if name != key else None
        if member:
            members[name] = member
    sync = read_json(entries.get(root + "sync"))
    standbys = (name.strip() for name in (sync.get("sync_standby") or "").split(","))
    return View(
        leader=entries.get(root + "leader"),
        members=members,
        sync=entries.get(root + "sync"),
        sync_leader=sync.get("leader"),
        sync_standbys=frozenset(name for name in standbys if name),
        quorum=int(sync.get("quorum") or 0),
        paused=bool(read_json(entries.get(root + "config")).get("pause")),
    )
