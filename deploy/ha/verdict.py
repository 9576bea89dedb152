"""Who is to lead after a leader is gone: the rule of the promotion fence, apart from how its facts are found.

A commit was acknowledged only after the old leader and at least (standbys − quorum) of the standbys in the sync
key had it on disk. So among any quorum + 1 of those standbys there is one that has it, and the furthest of them
has everything. No standby receives any more when this is asked: what is furthest stays furthest.
"""

from __future__ import annotations

from typing import NamedTuple


class NotNow(Exception):
    """Something did not happen in time, or somebody else was quicker: nobody is promoted by this node."""


class Reached(NamedTuple):
    """How far a node has come; compares as it should, timeline first. A former leader that died with commits
    which nobody else has, and whose successor wrote less since, has the higher position on a lower timeline."""

    timeline: int
    position: int


def chosen(name: str, standbys: frozenset[str], quorum: int, own: Reached, others: dict[str, Reached]) -> str:
    """The node that is to lead: the one that asks, where it is as far as any."""
    asked = {other: reached for other, reached in others.items() if other in standbys}
    if name in standbys:
        asked[name] = own
    if len(asked) < quorum + 1:
        raise NotNow(f"{len(asked)} of the {quorum + 1} standbys needed are cut off from the old leader")
    furthest = max(sorted(asked), key=lambda each: asked[each])
    return furthest if asked[furthest] > own else name
