#!/usr/bin/env python3
"""Patroni's pre_promote: between election and promotion, makes sure that no answered sale can be lost.

Patroni elects well while one thing goes wrong at a time. Three moments remain in which it would lose what was
acknowledged; each was seen to happen, or follows from its source, and each is closed here:

1. The old leader was frozen or cut off and wakes up just then. Another standby, which already voted, still
   receives from it, acknowledges one more commit, and then follows the new leader and forgets it.
   So the other standbys are cut off from the old leader first (their primary_conninfo is emptied; Patroni sets
   it again, to the new leader, on its next round), and only then is compared how far each has come.
2. The new leader dies a second after its promotion. Patroni writes down whose acknowledgement a commit waits
   for (the sync key) only on the round after it; until then the key names the leader before, which comes back,
   is believed to have everything, and leads. Patroni also compares positions in the log without the timeline
   they are on, so that the former leader looks further than it is.
   So this node is written into the sync key before it may acknowledge anything, and positions are compared
   timeline first.
3. A leader whose standbys had all gone comes back, and Patroni promotes it with synchronous_standby_names
   empty, strict mode or not; until its next round it acknowledges alone.
   So it is never empty when this script says yes.

Who says yes: the leader of the sync key itself, for nothing was acknowledged without it; or a node that is as
far as the furthest of so many standbys that every commit reached one of them (Patroni's quorum, and one more).
A node that is not writes the one that is into the sync key, gives its own key back (exit 1), and that one wins
the next election. Where too few can be asked, nobody is promoted: rather no service than a lost sale.

    fence.py PATRONI.YML
"""

from __future__ import annotations

import json
import logging
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import psycopg
import yaml
from psycopg.conninfo import conninfo_to_dict

from etcd_client import Etcd, Tls
from patroni_view import Member, View, read_view
from verdict import NotNow, Reached, chosen

# Patroni waits for this script, and sales wait for Patroni. libpq rounds connect time-outs up to two seconds.
CONNECT_TIMEOUT_S = 2
WITHIN_S = 1.0
NOBODY_NAMED = "synchronous_standby_names = 'ANY 1 (*)'  # by the promotion fence, until Patroni names somebody\n"

# The timeline is the newest that this node has heard of: whoever received anything on one has its history file.
# Two bytes of every log segment's name would do as well, but a standby may not ask for those.
REACHED = """
    SELECT greatest(
               (SELECT timeline_id FROM pg_control_checkpoint()),
               (SELECT min_recovery_end_timeline FROM pg_control_recovery()),
               (SELECT max(('x' || left(name, 8))::bit(32)::int) FROM pg_ls_waldir()
                WHERE name ~ '^[0-9A-F]{8}[.]history$')),
           pg_wal_lsn_diff(greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()), '0/0')::bigint
"""
RECEIVES_FROM_ANOTHER = """
    SELECT EXISTS (
        SELECT FROM pg_stat_activity AS process LEFT JOIN pg_stat_wal_receiver AS receiver USING (pid)
        WHERE process.backend_type = 'walreceiver'
          AND (receiver.sender_host, receiver.sender_port) IS DISTINCT FROM (%s, %s))
"""

log = logging.getLogger("fence")


class Settings:
    """What this needs of Patroni's own configuration, so that nothing is written twice."""

    def __init__(self, path: str) -> None:
        with open(path, encoding="utf-8") as file:
            config = yaml.safe_load(file)
        self.name: str = config["name"]
        self.root = f"/{config.get('namespace', 'service').strip('/')}/{config['scope']}/"
        self.superuser: dict = config["postgresql"]["authentication"]["superuser"]
        self.host, port = str(config["postgresql"]["connect_address"]).rsplit(":", 1)
        self.port = int(port)
        etcd = config["etcd3"]
        hosts = etcd["hosts"]
        self.etcd_members = hosts.split(",") if isinstance(hosts, str) else list(hosts)
        self.tls = Tls(etcd["cacert"], etcd.get("cert"), etcd.get("key")) if etcd.get("protocol") == "https" else None

    def connect(self, host: str, port: int) -> psycopg.Connection:
        return psycopg.connect(
            host=host,
            port=port,
            dbname="postgres",
            user=self.superuser["username"],
            password=self.superuser.get("password"),
            connect_timeout=CONNECT_TIMEOUT_S,
            tcp_user_timeout=CONNECT_TIMEOUT_S * 1000,
            options="-c statement_timeout=1500",
            application_name="hexiao-fence",
            autocommit=True,
        )


def wait_until(connection: psycopg.Connection, question: str, parameters: tuple, wanted: object) -> bool:
    """Asks again and again, for a second at most."""
    give_up = time.monotonic() + WITHIN_S
    while connection.execute(question, parameters).fetchone()[0] != wanted:
        if time.monotonic() > give_up:
            return False
        time.sleep(0.01)
    return True


def reached(connection: psycopg.Connection) -> Reached:
    return Reached(*connection.execute(REACHED).fetchone())


def follows(settings: Settings, connection: psycopg.Connection) -> bool:
    """Whether the standby is already set to follow this node: Patroni on it was quicker than this script."""
    wanted = conninfo_to_dict(connection.execute("SELECT current_setting('primary_conninfo')").fetchone()[0])
    return (wanted.get("host"), str(wanted.get("port"))) == (settings.host, str(settings.port))


def cut_off(settings: Settings, member: Member) -> Reached | None:
    """Cuts a standby off from the old leader; how far it has come, or nothing if that did not work."""
    try:
        with settings.connect(member.host, member.port) as connection:
            if not connection.execute("SELECT pg_is_in_recovery()").fetchone()[0]:
                return None  # not a standby: the old leader itself, awake again
            if not follows(settings, connection):
                connection.execute("ALTER SYSTEM SET primary_conninfo = ''")
                connection.execute("SELECT pg_reload_conf()")
            # A receiver that is only just connecting does not show to whom, and counts as another's.
            if not wait_until(connection, RECEIVES_FROM_ANOTHER, (settings.host, settings.port), wanted=False):
                log.error("%s still receives from the old leader", member.name)
                return None
            return reached(connection)
    except psycopg.Error as reason:
        log.error("%s could not be cut off: %s", member.name, str(reason).strip())
        return None


def cut_off_all(settings: Settings, view: View) -> dict[str, Reached]:
    """The standbys that a commit may have waited for, as far as they can be cut off."""
    others = [view.members[name] for name in view.sync_standbys if name != settings.name and name in view.members]
    with ThreadPoolExecutor(max_workers=max(1, len(others))) as pool:
        positions = pool.map(lambda member: cut_off(settings, member), others)
        return {member.name: at for member, at in zip(others, positions, strict=True) if at is not None}


def never_alone(connection: psycopg.Connection) -> None:
    """Sees to it that the first commit after the promotion waits for a standby."""
    if connection.execute("SHOW synchronous_standby_names").fetchone()[0]:
        return
    # Patroni writes this whole file anew when it next names standbys.
    with open(connection.execute("SHOW config_file").fetchone()[0], "a", encoding="utf-8") as file:
        file.write(NOBODY_NAMED)
    connection.execute("SELECT pg_reload_conf()")
    if not wait_until(connection, "SELECT current_setting('synchronous_standby_names') <> ''", (), wanted=True):
        raise NotNow("synchronous_standby_names stays empty")
    log.info("nobody was named to wait for: waiting for anybody")


def write_sync(etcd: Etcd, settings: Settings, view: View, leader: str, standbys: set[str], quorum: int) -> None:
    """Says who leads and whom it waits for, if nobody said something else meanwhile and this node still has
    the leader's key."""
    value = {"leader": leader, "quorum": quorum, "sync_standby": ",".join(sorted(standbys))}
    if view.sync is None or not etcd.put_if(view.sync, json.dumps(value), while_holds=(settings.root + "leader", settings.name)):
        raise NotNow("the sync key or the leader's key was changed by somebody else")


def fence(settings: Settings) -> bool:
    etcd = Etcd(settings.etcd_members, tls=settings.tls)
    view = read_view(etcd, settings.root)
    with settings.connect(settings.host, settings.port) as connection:
        never_alone(connection)
        if view.sync_leader in (None, settings.name):
            return True
        others = cut_off_all(settings, view)
        own = reached(connection)
    log.info("this node is at %s, others at %s, quorum %d", own, others, view.quorum)
    leader = chosen(settings.name, view.sync_standbys, view.quorum, own, others)
    everyone = {view.sync_leader, *view.sync_standbys}
    if leader == settings.name:
        # What Patroni would write a second later, and what it has set synchronous_standby_names to.
        waited_for = everyone - {settings.name}
        commits_wait_for = len(view.sync_standbys) - view.quorum
        write_sync(etcd, settings, view, settings.name, waited_for, len(waited_for) - commits_wait_for)
        return True
    # Beside the one that is to lead only the last leader has everything; were nobody named beside it, Patroni
    # would let it acknowledge alone.
    log.error("%s is further than this node and is to lead", leader)
    write_sync(etcd, settings, view, leader, {view.sync_leader}, 0)
    return False


def main() -> int:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s fence: %(message)s")
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    started = time.monotonic()
    try:
        good = fence(Settings(sys.argv[1]))
    except NotNow as reason:
        log.error("%s", reason)
        good = False
    except Exception:  # whatever went wrong, the answer is the safe one
        log.exception("cannot tell")
        good = False
    log.info("%s after %.0f ms", "promote" if good else "do not promote", (time.monotonic() - started) * 1000)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
