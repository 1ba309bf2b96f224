"""The commands by name: a summary and examples each, known without importing what they run."""

from __future__ import annotations

from typing import NamedTuple


class CommandEntry(NamedTuple):
    """A command as the listing shows it. It is the function `name` (dashes as underscores) in `engine.cli.<name>`."""

    name: str
    summary: str
    examples: tuple[str, ...]

    @property
    def function(self) -> str:
        """The function's name, and its module's below `engine.cli`."""
        return self.name.replace("-", "_")

    @property
    def epilog(self) -> str:
        """The examples as they close the command's help, kept as they are written."""
        lines = "\n".join(f"  {example}" for example in self.examples)
        return f"\b\nExamples:\n{lines}"


COMMANDS = (
    CommandEntry(
        "demo",
        "Watch reviews being raised from a year of real events.",
        (
            "counterpoint demo",
            "counterpoint demo --scenario phantom-growth --seed 7",
            "counterpoint demo --triggers-out triggers.ndjson",
        ),
    ),
    CommandEntry(
        "init",
        "Propose rules for data of your own: a file, or a topic.",
        (
            "counterpoint init --from tickets.csv",
            'counterpoint init --from shop.payments --owner Payments --objective "Paying is quick" --yes',
        ),
    ),
    CommandEntry(
        "worker",
        "Run the engine: measurements in, review triggers out.",
        ("counterpoint worker --start-at latest", "counterpoint worker --config counterpoint.yaml"),
    ),
    CommandEntry(
        "reload",
        "Have the running workers take up changed rules.",
        ("counterpoint reload",),
    ),
    CommandEntry(
        "broker",
        "Run the embedded broker: in memory, for trying things.",
        ("counterpoint broker", "counterpoint broker --topic shop.payments=payments.ndjson"),
    ),
    CommandEntry(
        "topics",
        "Create, compare or delete the engine's own topics.",
        ("counterpoint topics --plan", "counterpoint topics", "counterpoint topics --delete --prefix trial"),
    ),
    CommandEntry(
        "doctor",
        "Look at an installation, and say how to mend it.",
        ("counterpoint doctor", "counterpoint doctor --config counterpoint.yaml --format json"),
    ),
    CommandEntry(
        "check",
        "Check rule packs: every problem of every file at once.",
        ("counterpoint check rules/", "counterpoint check rules/ --format json"),
    ),
    CommandEntry(
        "test",
        "Run rule tests: what rules must say of a few values.",
        ("counterpoint test rules/", "counterpoint test rules/flights --format json"),
    ),
    CommandEntry(
        "try-source",
        "Show messages of a source before and after its mapping.",
        ("counterpoint try-source crm",),
    ),
    CommandEntry(
        "send",
        "Send measurements from CSV, NDJSON or Parquet files.",
        (
            "counterpoint send measurements.ndjson",
            "counterpoint send tickets.csv --kpi support.tickets --time opened_at --value 1 --dim channel",
        ),
    ),
    CommandEntry(
        "triggers",
        "Follow review triggers as a table or as JSON.",
        (
            "counterpoint triggers --since 24h",
            "counterpoint triggers --shadow",
            "counterpoint triggers --follow --format json",
        ),
    ),
    CommandEntry(
        "explain",
        "Recompute a review trigger, step by step, and check it.",
        (
            "counterpoint explain 142cc9665e12341817591ce4a12d9c71-1",
            "counterpoint explain triggers.ndjson --no-log",
            "counterpoint explain 142cc9665e12341817591ce4a12d9c71-1 --plot why.png",
        ),
    ),
    CommandEntry(
        "schemas",
        "Write the contracts as JSON Schemas and AsyncAPI.",
        ("counterpoint schemas",),
    ),
    CommandEntry(
        "config",
        "Show every setting and where its value comes from.",
        ("counterpoint config", "counterpoint config --set http_port=0 --format json"),
    ),
)
