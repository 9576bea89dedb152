"""What the load's clients were told: every acknowledged write, with when it was sent and answered.

Times are of one monotonic clock, so that they compare with the moment of a fault.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Acknowledged:
    id: str
    sent: float  # the last attempt: the one that was answered
    first_sent: float
    answered: float


class AckLog:
    """Shared by all clients of a load."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._all: list[Acknowledged] = []

    def add(self, id: str, first_sent: float, sent: float) -> None:
        acknowledged = Acknowledged(id, sent, first_sent, time.monotonic())
        with self._lock:
            self._all.append(acknowledged)

    def all(self) -> list[Acknowledged]:
        with self._lock:
            return list(self._all)

    def first_sent_after(self, moment: float) -> Acknowledged | None:
        """The earliest answer to an attempt that began after the moment: an answer that was already on its
        way when the leader died says nothing about its successor."""
        with self._lock:
            recent = self._all[-20_000:]
        late = [each for each in recent if each.sent > moment]
        return min(late, key=lambda each: each.answered) if late else None
