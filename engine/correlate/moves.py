"""What a barrier's findings make of the members of a group: which series fire after each of them.

What is said late may speak of an alert before the one that is on, and what is taken back of several at once; so alerts
of a series are counted, and what fires is the one that began last.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from engine.model.finding import Silence
from engine.model.time import parse_own_time
from engine.model.trigger import Member

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engine.model.finding import Finding


class Move(NamedTuple):
    """A member as it is after a finding (None: it does not fire). `resolved`: an alert of it has ended by itself;
    `returns`: such an end was taken back.
    """

    key: str
    event_time: str
    member: Member | None
    cause: str | None = None
    resolved: bool = False
    returns: bool = False


def moves_of(members: Mapping[str, Member], reports: Sequence[Finding]) -> list[Move]:
    """One for each report, in order. Where some of those of a member correct what was said there is one for all of
    them, in the place of the last: what stands in between was never so.
    """
    places: dict[str, list[int]] = {}
    for place, report in enumerate(reports):
        places.setdefault(f"{report.rule}|{report.series}", []).append(place)
    moves: dict[int, Move] = {}
    for key, own in places.items():
        said = [reports[place] for place in own]
        first = len(own) if any(each.status != "new" for each in said) else 1
        for count in range(first, len(own) + 1):
            moves[own[count - 1]] = _move(key, members.get(key), said[:count])
    return [moves[place] for place in sorted(moves)]


def _move(key: str, known: Member | None, said: Sequence[Finding]) -> Move:
    """What is known of a member is from before the barrier, `said` all that was said of it since."""
    fires = (known is not None) + sum(_begun_by(each) for each in said) > 0
    causes = [each.cause for each in said if each.status != "new"]
    return Move(
        key=key,
        event_time=said[-1].event_time,
        member=_newest(known, said) if fires else None,
        cause=causes[-1] if causes else None,
        resolved=any(each.transition == "resolved" and each.status != "withdrawn" for each in said),
        returns=any(each.transition == "resolved" and each.status == "withdrawn" for each in said),
    )


def _begun_by(report: Finding) -> int:
    """How many alerts more have begun than ended by what a finding says."""
    if report.transition == "worsened" or report.status == "amended":
        return 0
    return 1 if (report.transition == "firing") == (report.status == "new") else -1


def _says_on(report: Finding) -> bool:
    """Whether an alert is on as of a finding: it has begun, or its end was taken back."""
    if report.transition == "resolved":
        return report.status == "withdrawn"
    return report.transition == "firing" and report.status != "withdrawn"


def _newest(known: Member | None, said: Sequence[Finding]) -> Member | None:
    """The alert that began last, of those that nothing has taken the place of; of equals what was said last of it."""
    gone = {each.replaces for each in said}
    there = [_member(each) for each in reversed(said) if _says_on(each) and each.id not in gone]
    if known is not None and known.finding not in gone:
        there.append(known)
    return max(there, key=lambda each: parse_own_time(each.event_time), default=known)


def _member(report: Finding) -> Member:
    point = report.evidence.point
    return Member(
        series=report.series,
        rule=report.rule,
        finding=report.id,
        event_time=report.opened_event_time if report.transition == "resolved" else report.event_time,
        transition=report.transition,
        revision=report.revision,
        silence=point if isinstance(point, Silence) else None,
    )
