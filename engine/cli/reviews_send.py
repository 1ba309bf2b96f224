"""Sends commands about reviews, and waits for what the engine makes of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engine.model.audit import CommandEntry
    from engine.model.records import ReviewCommand
    from engine.runtime.settings import Settings


def send_commands(
    settings: Settings, commands: Sequence[tuple[ReviewCommand, str]], seconds: float
) -> Mapping[str, CommandEntry]:
    """The answers by command id, as many as came within `seconds`; each command goes with its review's key.

    ConfigError, before anything is sent, for a review that cannot be commanded.
    """
    without = [command.review for command, key in commands if not key]
    if without:
        raise ConfigError(
            [f"the review {each} was called by an older engine; it takes no commands" for each in without]
        )
    # These connect: a wrong option is answered at once, without them.
    from engine.brokers.topics import TopicAdmin  # noqa: PLC0415
    from engine.client.commands import ReviewCommander  # noqa: PLC0415
    from engine.client.connect import EMBEDDED_API_VERSION  # noqa: PLC0415

    embedded = TopicAdmin(",".join(settings.brokers)).embedded
    version = EMBEDDED_API_VERSION if embedded else None
    with ReviewCommander(list(settings.brokers), prefix=settings.prefix, api_version=version) as commander:
        for command, key in commands:
            commander.send(command, key=key)
        return commander.answers([command.id for command, _ in commands], seconds)
