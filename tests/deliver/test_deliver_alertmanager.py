"""What is on is told to a real Alertmanager again and again; without that it ends there by itself."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest
from deliver_world import review_id, trigger, wall_clock
from monitoring import eventually

from engine.deliver.alertmanager import LASTING, Alertmanager
from engine.deliver.message import Writer
from engine.deliver.receiver import Delivered
from engine.deliver.spec import AlertmanagerSpec
from engine.notify.notification import of_trigger

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from subprocess import CompletedProcess

CONFIG = "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n"


@pytest.mark.slow
def test_what_is_on_stays_on_while_it_is_sent_again_and_ends_when_nobody_does(
    alertmanager: Callable[[Path], Any], amtool: Callable[..., CompletedProcess[str]], tmp_path: Path
):
    config = tmp_path / "alertmanager.yml"
    config.write_text(CONFIG, "utf-8")
    server = alertmanager(config)

    def active() -> dict[str, str]:
        """The end of each active alert, by review."""
        done = amtool("--alertmanager.url", server.url, "-o", "json", "alert", "query")
        return {alert["labels"]["review"]: alert["endsAt"] for alert in json.loads(done.stdout)}

    async def play() -> None:
        spec = AlertmanagerSpec(kind="receiver", id="alerts", type="alertmanager", url=server.url, resend="1s")  # type: ignore[arg-type]  # pydantic reads it
        receiver = Alertmanager(spec, Writer(b"key", lambda owner, _: owner), wall_clock)
        assert isinstance(await receiver.send(of_trigger(trigger(1, 1, "opened")), redelivered=False), Delivered)
        ends = {await asyncio.to_thread(eventually, lambda: active().get(review_id(1)))}
        again = asyncio.create_task(receiver.run())
        while len(ends) <= LASTING + 1:  # by now the first end is past
            ends.add(active()[review_id(1)])
            await asyncio.sleep(0.2)
        again.cancel()
        await asyncio.gather(again, return_exceptions=True)
        await receiver.close()

    asyncio.run(play())
    assert eventually(lambda: active() == {}, 60)
