"""The port on this machine: free for a worker, or a worker's already."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine import SEMANTICS_VERSION, __version__
from engine.doctor.diagnosis import Diagnosis, ok, problem, warning

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.doctor.facts import EndpointFacts


def judge(found: EndpointFacts | None) -> Iterator[Diagnosis]:
    """None: the settings ask for any free port."""
    if found is None:
        yield ok("port", "http_port 0", "a worker takes any that is free")
        return
    about = f"{found.host}:{found.port}"
    if found.refused and found.free == "free":
        yield ok("port", about, "free for a worker")
    elif found.refused:
        yield problem(
            "port",
            about,
            expected="an address of this machine that a worker may serve on",
            found=found.free,
            mend="set http_host and http_port to one; 0.0.0.0 is every address of the machine",
        )
    elif found.build is None:
        yield problem(
            "port",
            about,
            expected="it to be free, or a worker to answer",
            found=f"something else that answers: {found.server}",
            mend="set another http_port; 0 takes any",
        )
    else:
        yield _worker(about, found, *found.build)


def _worker(about: str, found: EndpointFacts, version: str, semantics: str) -> Diagnosis:
    if semantics != str(SEMANTICS_VERSION):
        return warning(
            "port",
            about,
            expected=f"a worker of semantics version {SEMANTICS_VERSION}, as this command is",
            found=f"one of {semantics} (version {version})",
            mend="finish the roll-out; run the doctor of the version that runs",
        )
    if found.ready != "ready":
        return warning(
            "port",
            about,
            expected="the worker that answers to be ready",
            found=found.ready,
            mend="look again in a moment; if it lasts, see its log",
        )
    other = "" if version == __version__ else f", of version {version}"
    return ok("port", about, f"a worker answers and is ready{other}")
