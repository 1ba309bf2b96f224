"""The gate that every notification goes through: silences, inhibition, noise budgets.

Pure: it reads no clock, and tells the same for the same calls. Reviews live in several partitions whose triggers come a
little out of order, so an opening that could be inhibited waits `settle` by the ticks before it goes out, and so does
what an inhibitor kept quiet when that ends.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Self

import msgspec

from engine.errors import StateError
from engine.model.identity import trigger_id
from engine.model.time import SECOND, Micros, format_time, parse_own_time
from engine.notify.budget import Budgets
from engine.notify.happenings import COUNTED, ENDINGS, LOUD, OPENINGS, happening_of, has_ended
from engine.notify.inhibition import Firing
from engine.notify.known import Known, first_known, note, without_evidence
from engine.notify.notification import Held, Outcome, Why, nothing, of_release, of_trigger
from engine.notify.silences import Silences, expired_entry, expired_notification

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.model.audit import Silence
    from engine.model.trigger import ReviewTrigger
    from engine.rules.ruleset import RuleSet

SETTLE: Micros = 30 * SECOND
ENDED_KEPT = 4_096
"""Ended reviews that are remembered, so that a repeat of their triggers is known as one."""


class _State(msgspec.Struct):
    """What a dump holds. `ended`: reviews that have ended, in that order."""

    now: Micros = 0
    reviews: dict[str, Known] = {}
    ended: dict[str, None] = {}
    silences: Silences = msgspec.field(default_factory=Silences)
    budgets: Budgets = msgspec.field(default_factory=Budgets)


class Gate:
    """Decides of each trigger whether, when and as what it is told.

    Call `tick` before the first `take`, then every second or so; `silence` with each record of the topic `silences`,
    old ones included; `take` with each trigger, in order per review (a repeat is known by its ordinal and
    leads to nothing). Every trigger comes back once: as a notification or as held back; what was held back may be
    released later. `dump` after what it
    returned was stored or sent, and `load` goes on where it was.

    Openings that are historical are never told, nor what is low-key or ends such a review. What ends something that was
    told passes always, and under a silence whatever it ends. A silence holds at the time of the newest tick, not at
    that of the trigger: what was silenced while nobody notified is told when the silence is over by then.
    """

    def __init__(self, rule_set_of: Callable[[str], RuleSet | None], settle: Micros = SETTLE) -> None:
        """`rule_set_of` finds a rule set by hash, for budgets and inhibition; without it neither holds anything."""
        self._rule_set_of = rule_set_of
        self._settle = settle
        self._state = _State()
        self._firing = Firing(())
        self._pending: dict[str, Known] = {}  # who has, or lately had, something pending

    @property
    def told(self) -> frozenset[str]:
        """Reviews that are open and whose opening was told: what a receiver that keeps a set should hold as active."""
        return frozenset(known.review for known in self._state.reviews.values() if known.told and not known.ended)

    @property
    def holding(self) -> list[Held]:
        """Open reviews of which something is held back now, or that nobody was told of; with their newest trigger."""
        return [
            Held(trigger_id(known.review, known.ordinal), known.review, known.why, known.by)
            for known in self._state.reviews.values()
            if known.why is not None and not known.ended
        ]

    def take(self, trigger: ReviewTrigger) -> Outcome:
        """The trigger passes, is held back, or (an inhibitable opening) waits until a tick `settle` after its time."""
        data, outcome = trigger.data, nothing()
        known = self._state.reviews.setdefault(data.review, first_known(trigger))
        if data.ordinal <= known.ordinal:
            return outcome
        was_firing = known.firing
        note(known, trigger, self._rule_set_of(data.rule_set))
        self._firing.note(known)
        if was_firing and not known.firing:
            self._let_settle(known, parse_own_time(trigger.time))
        if known.waiting or self._must_wait(known, trigger):
            self._wait(known, trigger)
        else:
            self._decide(known, trigger, outcome)
        if has_ended(trigger):
            self._decide_waiting(known, outcome)
            self._end(known)
        else:
            self._state.ended.pop(known.review, None)
        return outcome

    def silence(self, silence: Silence) -> Outcome:
        """A silence in its newest form: begun, changed, or ended early. ConfigError or WireError when it is unsound: it
        holds nothing then.
        """
        outcome = nothing()
        self._state.silences.put(silence, self._state.now)
        how = f"The silence by {silence.author} ({silence.reason}) was ended by {silence.ended_by}."
        ended = {} if silence.ended_by is None else {silence.id: how}
        self._release(outcome, ended)
        return outcome

    def tick(self, now: Micros) -> Outcome:
        """The time is `now`: what settled goes out, silences run out, digests are due."""
        state, outcome = self._state, nothing()
        first, state.now = state.now == 0, max(state.now, now)
        for known in list(state.reviews.values()):
            if known.waiting and known.ripe <= state.now:
                self._decide_waiting(known, outcome)
        ended = {}
        for silence in state.silences.run_out(state.now):
            held = sum(each.by == silence.id for each in self.holding)
            if first and not held:  # the topic has those of all times
                continue
            outcome.entries.append(expired_entry(silence))
            outcome.notifications.append(expired_notification(silence, held, state.now))
            ended[silence.id] = f"The silence by {silence.author} ({silence.reason}) ended at {silence.until}."
        self._release(outcome, ended)
        outcome.notifications.extend(state.budgets.due(state.now, self._is_open))
        return outcome

    def dump(self) -> bytes:
        """Everything that it knows: JSON, deflated; most of it is what is held back or waits."""
        return zlib.compress(msgspec.json.encode(self._state))

    @classmethod
    def load(cls, data: bytes, rule_set_of: Callable[[str], RuleSet | None], settle: Micros = SETTLE) -> Self:
        """The inverse of `dump`; StateError when `data` is none."""
        gate = cls(rule_set_of, settle)
        try:
            gate._state = msgspec.json.decode(zlib.decompress(data), type=_State)
        except (zlib.error, msgspec.MsgspecError) as error:
            raise StateError(f"expected what a gate has dumped, found {data[:40]!r}: {error}") from error
        gate._firing = Firing(gate._state.reviews.values())
        gate._pending = dict(gate._state.reviews)
        return gate

    def _must_wait(self, known: Known, trigger: ReviewTrigger) -> bool:
        """Whether an inhibitor of this opening may be on its way: it could have one, and has none yet."""
        if known.told or not known.inhibited_by or trigger.data.historical or has_ended(trigger):
            return False
        late = self._state.now - parse_own_time(trigger.time) >= self._settle
        return happening_of(trigger) in COUNTED and not late and self._blocker(known, trigger) is None

    def _wait(self, known: Known, trigger: ReviewTrigger) -> None:
        if not known.waiting:
            known.ripe = parse_own_time(trigger.time) + self._settle
        known.waiting.append(trigger)

    def _decide_waiting(self, known: Known, outcome: Outcome) -> None:
        waiting, known.waiting = known.waiting, []
        for trigger in waiting:
            self._decide(known, trigger, outcome)

    def _decide(self, known: Known, trigger: ReviewTrigger, outcome: Outcome) -> None:
        happening = happening_of(trigger)
        if happening in OPENINGS and trigger.data.historical:
            outcome.held.append(known.hold(trigger, "historical"))
        elif happening in ENDINGS:
            self._decide_ending(known, trigger, outcome)
        elif happening in LOUD:
            self._decide_loud(known, trigger, outcome)
        else:
            self._decide_low_key(known, trigger, outcome)

    def _decide_ending(self, known: Known, trigger: ReviewTrigger, outcome: Outcome) -> None:
        """Passes where what it ends was told, and whatever a silence holds back."""
        if known.told or known.why in {"silenced", None}:
            outcome.notifications.append(of_trigger(trigger))
        else:
            outcome.held.append(Held(trigger.id, known.review, known.why, known.by))
        if known.pending is not None:
            known.pending = without_evidence(trigger)

    def _decide_low_key(self, known: Known, trigger: ReviewTrigger, outcome: Outcome) -> None:
        """Tells those who know of the review, and is not worth coming back to: what is pending takes its place."""
        blocker = self._blocker(known, trigger)
        if known.pending is not None:
            known.pending = without_evidence(trigger)
        if blocker is not None:
            outcome.held.append(Held(trigger.id, known.review, *blocker))
        elif known.why is not None and (not known.told or known.pending is not None):
            outcome.held.append(Held(trigger.id, known.review, known.why, known.by))
        else:
            outcome.notifications.append(of_trigger(trigger))

    def _decide_loud(self, known: Known, trigger: ReviewTrigger, outcome: Outcome) -> None:
        blocker = self._blocker(known, trigger)
        if blocker is not None:
            known.pending = without_evidence(trigger)
            self._pending[known.review] = known
            outcome.held.append(known.hold(trigger, *blocker))
        elif happening_of(trigger) in COUNTED and not self._afford(trigger, parse_own_time(trigger.time)):
            self._bundle(known, trigger)
            outcome.held.append(Held(trigger.id, known.review, "bundled"))
        else:
            known.tell()
            outcome.notifications.append(of_trigger(trigger))

    def _bundle(self, known: Known, trigger: ReviewTrigger) -> None:
        data = trigger.data
        self._state.budgets.bundle(data.owner, data.rule, data.review, parse_own_time(trigger.time))
        known.release()
        if not known.told:
            known.why = "bundled"

    def _afford(self, trigger: ReviewTrigger, moment: Micros) -> bool:
        data = trigger.data
        if data.severity == "critical":
            return True
        rules = self._rule_set_of(data.rule_set)
        owners = () if rules is None else rules.owners
        budget = next((owner.noise_budget for owner in owners if owner.id == data.owner), None)
        return self._state.budgets.spend(data.owner, budget, moment)

    def _blocker(self, known: Known, trigger: ReviewTrigger | None = None) -> tuple[Why, str] | None:
        """What holds back a notification of the review now."""
        state = self._state
        moment = state.now if trigger is None else max(state.now, parse_own_time(trigger.time))
        silence = state.silences.of(known.labels, moment)
        if silence is not None:
            return "silenced", silence.id
        inhibitor = self._firing.inhibitor_of(known, state.reviews)
        return None if inhibitor is None else ("inhibited", inhibitor)

    def _release(self, outcome: Outcome, ended: dict[str, str]) -> None:
        """Tell of what nothing holds back any more; `ended` has a sentence for each silence that is over."""
        self._pending = {review: known for review, known in self._pending.items() if known.pending is not None}
        for _, known in sorted(self._pending.items()):
            if known.pending is None:
                continue
            blocker = self._blocker(known)
            if blocker is not None:
                known.why, known.by = blocker
            elif known.ripe <= self._state.now:
                self._release_one(known, known.pending, outcome, ended)

    def _release_one(self, known: Known, pending: ReviewTrigger, outcome: Outcome, ended: dict[str, str]) -> None:
        if known.why == "inhibited":
            reason = f"No longer inhibited by the review {known.by}."
        else:
            reason = ended.get(known.by, "No silence holds it back any more.")
        if self._afford(pending, self._state.now or parse_own_time(pending.time)):
            known.tell()
            now = format_time(self._state.now) if self._state.now else pending.time
            outcome.notifications.append(of_release(pending, reason, now))
        else:
            self._bundle(known, pending)

    def _let_settle(self, inhibitor: Known, moment: Micros) -> None:
        """What it kept quiet may be about to end as well: leave that a little time."""
        for known in self._pending.values():
            if known.pending is not None and known.why == "inhibited" and known.by == inhibitor.review:
                known.ripe = max(known.ripe, moment + self._settle)

    def _is_open(self, review: str) -> bool:
        known = self._state.reviews.get(review)
        return known is not None and not known.ended

    def _end(self, known: Known) -> None:
        known.pending = None
        self._state.ended.pop(known.review, None)
        self._state.ended[known.review] = None
        if len(self._state.ended) > ENDED_KEPT:
            oldest = next(iter(self._state.ended))
            del self._state.ended[oldest]
            del self._state.reviews[oldest]
