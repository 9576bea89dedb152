"""What a till notices while others are slow on purpose. Started by scripts/slow-http.

The slow callers live in a process of their own, so that their work is not taken for the server's.
"""

import argparse
import asyncio
import http.client
import json
import multiprocessing
import resource
import socket
import sys
import time
from urllib.parse import urlsplit

# What a till may notice of it, and what the server may grow by. Far above what is measured, far below
# what it comes to when slow callers are waited for.
WORST_P99_MS = 250
MOST_MIB = 300
PAUSE_S = 0.005
# After this, one who is slow with a head or a body must have been cut off.
PATIENCE_S = {"headers": 35, "bodies": 15, "reads": 38}


def demo(path):
    for line in open(path, encoding="utf-8"):
        try:
            page = json.loads(line)
        except ValueError:
            continue
        if "cards" in page:
            return page
    sys.exit("the server did not tell its demo data")


# --- those who are slow -------------------------------------------------------------------------


class Slow:
    """One kind of slow caller: how it begins, and what it does every second after that."""

    def __init__(self, kind, page):
        head = {
            "headers": "POST /v1/redemptions HTTP/1.1\r\nhost: slow\r\nx-slow: ",
            "bodies": "POST /v1/redemptions HTTP/1.1\r\nhost: slow\r\n"
            f"authorization: Bearer {page['key']}\r\nidempotency-key: slow\r\n"
            "content-type: application/json\r\ncontent-length: 10000\r\n\r\n{",
            # The largest answer there is.
            "reads": "GET /openapi.json HTTP/1.1\r\nhost: slow\r\n\r\n",
        }
        self.kind, self.head = kind, head[kind].encode()
        url = urlsplit(page["server"])
        self.address = (url.hostname, url.port)

    async def step(self, loop, connection):
        """Goes on a little. False when the server has ended it."""
        if self.kind == "reads":
            return bool(await loop.sock_recv(connection, 64))
        await loop.sock_sendall(connection, b" ")
        try:
            return bool(connection.recv(1, socket.MSG_PEEK))
        except BlockingIOError:
            return True

    async def call(self, loop, until, counts):
        with socket.socket() as connection:
            connection.setblocking(False)
            if self.kind == "reads":
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            await loop.sock_connect(connection, self.address)
            await loop.sock_sendall(connection, self.head)
            counts["opened"] += 1
            while time.monotonic() < until:
                await asyncio.sleep(1)
                if not await self.step(loop, connection):
                    return

    async def again_and_again(self, loop, until, counts):
        while time.monotonic() < until:
            try:
                await self.call(loop, until, counts)
            except OSError:
                pass
            if time.monotonic() < until:
                counts["cut_off"] += 1
                await asyncio.sleep(0.1)

    async def all(self, connections, until):
        loop, counts = asyncio.get_running_loop(), {"opened": 0, "cut_off": 0}
        await asyncio.gather(*(self.again_and_again(loop, until, counts) for _ in range(connections)))
        return counts


def be_slow(kind, page, connections, until, results):
    results.put(asyncio.run(Slow(kind, page).all(connections, until)))


# --- the till -----------------------------------------------------------------------------------


def sell(page, name, until):
    """Sells one after the other over one connection; milliseconds of each sale."""
    url = urlsplit(page["server"])
    till = http.client.HTTPConnection(url.hostname, url.port, timeout=30)
    # The demo's newest cards have all their value yet.
    cards, took = page["cards"]["gift"][-2:], []
    while time.monotonic() < until:
        sale = {"card": {"id": cards[len(took) % len(cards)]["id"]}, "amount": 1, "currency": "CNY"}
        headers = {
            "authorization": f"Bearer {page['key']}",
            "content-type": "application/json",
            "idempotency-key": f"slow-http-{name}-{len(took):08}",
        }
        sale["store"] = page["store"]
        began = time.perf_counter()
        till.request("POST", "/v1/redemptions", json.dumps(sale), headers)
        answer = till.getresponse()
        body = answer.read()
        took.append((time.perf_counter() - began) * 1000)
        if answer.status != 201 or json.loads(body)["status"] != "approved":
            sys.exit(f"a sale beside slow {name} was answered {answer.status}: {body.decode()}")
        time.sleep(PAUSE_S)
    return sorted(took)


def memory_mib(pid):
    for line in open(f"/proc/{pid}/status", encoding="ascii"):
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    sys.exit("the server has ended")


def figures(took, pid):
    at = lambda share: round(took[min(len(took) - 1, int(len(took) * share))], 2)
    return {"sales": len(took), "p50_ms": at(0.5), "p99_ms": at(0.99), "max_ms": round(took[-1], 2),
            "rss_mib": round(memory_mib(pid), 1)}


def beside(kind, page, pid, connections, seconds):
    until, results = time.monotonic() + seconds, multiprocessing.Queue()
    slow = multiprocessing.Process(target=be_slow, args=(kind, page, connections, until, results))
    slow.start()
    found = figures(sell(page, kind, until), pid)
    counts = results.get(timeout=60)
    slow.join()
    return found | counts


def judge(name, found, connections, seconds):
    if found["p99_ms"] > WORST_P99_MS:
        sys.exit(f"beside slow {name} a till waits {found['p99_ms']} ms (99 of 100), more than {WORST_P99_MS}")
    if found["rss_mib"] > MOST_MIB:
        sys.exit(f"beside slow {name} the server takes {found['rss_mib']} MiB, more than {MOST_MIB}")
    if found.get("opened", connections) < connections:
        sys.exit(f"only {found['opened']} of {connections} slow callers got through: nothing was shown")
    if seconds >= PATIENCE_S.get(name, seconds + 1) and found["cut_off"] < connections:
        sys.exit(f"only {found['cut_off']} of {connections} callers with slow {name} were cut off")


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("page")
    arguments.add_argument("pid", type=int)
    arguments.add_argument("--connections", type=int, required=True)
    arguments.add_argument("--seconds", type=float, required=True)
    given = arguments.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    page = demo(given.page)
    all_found = {"connections": given.connections, "seconds": given.seconds}
    all_found["alone"] = figures(sell(page, "alone", time.monotonic() + given.seconds), given.pid)
    for kind in ("headers", "bodies", "reads"):
        all_found[kind] = beside(kind, page, given.pid, given.connections, given.seconds)
    print(json.dumps(all_found))
    for name in ("alone", "headers", "bodies", "reads"):
        judge(name, all_found[name], given.connections, given.seconds)


if __name__ == "__main__":
    main()
