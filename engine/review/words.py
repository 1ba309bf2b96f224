"""The plain sentence of what a person or the clock did to a review."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.model.records import ReviewCommand
    from engine.model.trigger import ClockName


def sentence_of_command(command: ReviewCommand) -> str:
    """What `who` did, in his words where he has left some."""
    match command.action:
        case "acknowledge":
            return f"Acknowledged by {command.who}."
        case "assign":
            return f"Given to {command.to} by {command.who}."
        case "comment":
            return f"{command.who}: {command.comment}"
        case "snooze":
            return f"Snoozed until {command.until} by {command.who}."
        case "resolve":
            verdict = f" ({command.verdict.replace('_', ' ')})" if command.verdict else ""
            answer = f": {command.answer}" if command.answer else ""
            return f"Answered by {command.who}{verdict}{answer}"


def sentence_of_clock(moved_by: ClockName, about: str, to: str, step: int) -> str:
    """What time has done; `about` is the sentence of what the review is about, `to` who hears of it."""
    match moved_by.what:
        case "due":
            return f"Overdue: an answer was due at {moved_by.at}. {about}"
        case "escalate":
            return f"Escalated to {to} (step {step}): still no answer at {moved_by.at}. {about}"
        case "wake":
            return f"The snooze ended at {moved_by.at}. {about}"
        case "calm":
            return f"Calm since it last fired, seen at {moved_by.at}. {about}"
