"""Templates of messages. Library: string.Template: it puts values in and can do nothing else; Jinja2 would have to be
caged.

A line whose names are all empty is left out, so that one template serves reviews with and without a due time.
"""

from __future__ import annotations

from string import Template
from typing import TYPE_CHECKING, Final

from engine.deliver.wrong import Wrong
from engine.rules.wording import choices, suggestion

if TYPE_CHECKING:
    from collections.abc import Mapping

NAMES: Final = (
    "sentence",
    "title",
    "happening",
    "severity",
    "rule",
    "subject",
    "kpi",
    "objective",
    "owner",
    "who",
    "due",
    "state",
    "alert",
    "evidence",
    "question",
    "runbook",
    "answer",
    "review",
    "id",
    "again",
)
"""What may stand after `$`."""

TITLE: Final = "[$severity] $title: $happening"
BODY: Final = """\
$sentence
$again

Who: $who
By when: $due
State: $state, alert $alert
$evidence
Question: $question
Runbook: $runbook
Answer: $answer
"""


def unknown_names(text: str) -> Wrong | None:
    """What a template holds that nothing can be put in for; None where it is sound."""
    template = Template(text)
    if not template.is_valid():
        return Wrong("`$name` or `${name}`", "a `$` before something else", "write `$$` for the sign itself")
    for name in template.get_identifiers():
        if name not in NAMES:
            return Wrong(f"one of {choices(NAMES)} after `$`", f"`{name}`", suggestion(name, NAMES, "use one of these"))
    return None


def render(text: str, values: Mapping[str, str]) -> str:
    """The template with its values; lines whose names are all empty are left out."""
    lines = []
    for line in text.splitlines():
        template = Template(line)
        names = template.get_identifiers()
        if not names or any(values.get(name) for name in names):
            lines.append(template.safe_substitute(values))
    return "\n".join(lines).strip()
