"""The commands by name: a summary and examples each, known without importing what they run."""

from __future__ import annotations

from typing import NamedTuple


class CommandEntry(NamedTuple):
    """A command as the listing shows it, or with `commands` a group of such.

    A command is the function of its name (dashes as underscores, a group's name before it: `reviews_list`) in the
    module of that name in `engine.cli`; `target` names another place, `module:function`.
    """

    name: str
    summary: str
    examples: tuple[str, ...]
    commands: tuple[CommandEntry, ...] = ()
    target: str = ""

    def place(self, group: str = "") -> tuple[str, str]:
        """The module and the function that it is, in `group` where it is one of a group."""
        name = f"{group}_{self.name}" if group else self.name
        module, _, function = (self.target or name).replace("-", "_").partition(":")
        return f"engine.cli.{module}", function or module

    @property
    def epilog(self) -> str:
        """The examples as they close the command's help, kept as they are written."""
        lines = "\n".join(f"  {example}" for example in self.examples)
        return f"\b\nExamples:\n{lines}"


REVIEWS = (
    CommandEntry(
        "list",
        "What is open, the overdue first.",
        (
            "counterpoint reviews list",
            "counterpoint reviews list --where owner=ops --where severity!=info",
            "counterpoint reviews list --all --format json",
        ),
    ),
    CommandEntry(
        "show",
        "One review: why, what happened so far, how to answer.",
        ("counterpoint reviews show 142cc966",),
    ),
    CommandEntry(
        "ack",
        "Say that you have seen it.",
        ("counterpoint reviews ack 142cc966", "counterpoint reviews ack --where origin=EWR --yes"),
        target="reviews_answer:reviews_ack",
    ),
    CommandEntry(
        "assign",
        "Give it to somebody.",
        ("counterpoint reviews assign 142cc966 --to ann",),
        target="reviews_answer:reviews_assign",
    ),
    CommandEntry(
        "comment",
        "Leave a word.",
        ('counterpoint reviews comment 142cc966 --text "asked the supplier"',),
        target="reviews_answer:reviews_comment",
    ),
    CommandEntry(
        "snooze",
        "Keep it quiet until a time.",
        (
            "counterpoint reviews snooze 142cc966 --until 4h",
            "counterpoint reviews snooze 142cc966 --until 2026-03-02T08:00:00+01:00",
        ),
        target="reviews_answer:reviews_snooze",
    ),
    CommandEntry(
        "resolve",
        "Answer it, with your verdict.",
        ('counterpoint reviews resolve 142cc966 --verdict real --answer "two more crews from Monday on"',),
        target="reviews_answer:reviews_resolve",
    ),
    CommandEntry(
        "silence",
        "Hear nothing of what is known, for a while; or end that.",
        (
            'counterpoint reviews silence --where origin=EWR --until 4h --reason "runway works"',
            "counterpoint reviews silence --end 5f3a9c1e",
        ),
    ),
    CommandEntry("silences", "The silences in force.", ("counterpoint reviews silences",)),
    CommandEntry(
        "summary",
        "For hand-over: what came, what is open, what is noisy.",
        ("counterpoint reviews summary --since 7d", "counterpoint reviews summary --since 12h --format json"),
    ),
)

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
        "deliver",
        "Tell people of reviews: chat, mail, Alertmanager.",
        ("counterpoint deliver --check", "counterpoint deliver --config counterpoint.yaml --start-at latest"),
    ),
    CommandEntry(
        "route",
        "Say who would be told of what, and why.",
        ("counterpoint route test severity=critical owner=ops",),
        commands=(
            CommandEntry(
                "test",
                "The receivers of a review with these labels.",
                (
                    "counterpoint route test severity=critical owner=ops",
                    "counterpoint route test --delivery delivery.yaml kpi=support.tickets channel=web",
                ),
                target="route:route_test",
            ),
        ),
    ),
    CommandEntry(
        "undelivered",
        "What could not be delivered; have it tried again.",
        ("counterpoint undelivered list", "counterpoint undelivered replay receiver=ops-chat"),
        commands=(
            CommandEntry(
                "list",
                "What was refused or given up, and why.",
                ("counterpoint undelivered list", "counterpoint undelivered list receiver=ops-chat --format json"),
                target="undelivered:undelivered_list",
            ),
            CommandEntry(
                "replay",
                "Have it tried again.",
                (
                    "counterpoint undelivered replay",
                    "counterpoint undelivered replay receiver=ops-chat severity=critical",
                ),
                target="undelivered:undelivered_replay",
            ),
        ),
    ),
    CommandEntry(
        "reload",
        "Have the running workers take up changed rules.",
        ("counterpoint reload", "counterpoint reload --who ann"),
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
        "backtest",
        "Say what rules would have called, over files of the past.",
        (
            "counterpoint backtest --rules rules/ --input measurements.parquet",
            "counterpoint backtest --rules rules/ --input history/ --compare changed/ --json",
            "counterpoint backtest --rules rules/ --input tickets.csv --table tickets --triggers-out triggers.ndjson",
        ),
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
        "reviews",
        "Answer reviews, and silence what is known.",
        (
            "counterpoint reviews list",
            "counterpoint reviews ack 142cc966",
            "counterpoint reviews COMMAND --help",
        ),
        commands=REVIEWS,
    ),
    CommandEntry(
        "audit",
        "Who asked what of the engine, and what was made of it.",
        ("counterpoint audit show 142cc966", "counterpoint audit list --since 7d"),
        commands=(
            CommandEntry(
                "show",
                "The whole story of a review.",
                ("counterpoint audit show 142cc966", "counterpoint audit show 142cc966 --format json"),
                target="audit:audit_show",
            ),
            CommandEntry(
                "list",
                "Every entry of the audit trail.",
                ("counterpoint audit list --since 7d", "counterpoint audit list --format json"),
                target="audit:audit_list",
            ),
        ),
    ),
    CommandEntry(
        "catalogue",
        "How objectives and KPIs fare, and what to mend.",
        ("counterpoint catalogue tree", "counterpoint catalogue audit --no-broker"),
        commands=(
            CommandEntry(
                "tree",
                "Objectives, initiatives and KPIs with their status.",
                ("counterpoint catalogue tree", "counterpoint catalogue tree --no-broker --format json"),
                target="catalogue:catalogue_tree",
            ),
            CommandEntry(
                "audit",
                "What is of no use, too much, or not to be trusted.",
                ("counterpoint catalogue audit", "counterpoint catalogue audit --no-broker --strict"),
                target="catalogue:catalogue_audit",
            ),
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
        "why-not",
        "Why a rule did not fire: the first gate that stopped it.",
        (
            "counterpoint why-not cancellations origin=EWR",
            "counterpoint why-not cancellations origin=EWR --at 2013-02-08T12:00:00Z --rules rules/ --input history/",
            "counterpoint why-not cancellations 'flights.cancelled{origin=EWR}' --json",
        ),
    ),
    CommandEntry(
        "rules",
        "How every rule fares: states, last words, problems.",
        (
            "counterpoint rules",
            "counterpoint rules --rules rules/ --input history/ --at 2013-02-08T12:00:00Z --last 10 --json",
        ),
    ),
    CommandEntry(
        "detect",
        "Find trend breaks in a series of your own: no rules needed.",
        (
            "counterpoint detect visits.csv --time day --value visits",
            "counterpoint detect visits.csv --time day --value visits --json",
            "counterpoint detect visits.csv --time day --value visits --scores scores.csv --plot visits.png",
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
