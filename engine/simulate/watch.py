"""What must hold at every step: nothing is claimed to be durable that is not."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from engine.model.topics import CHECKPOINTS, FINDINGS, MEASUREMENTS
from engine.runtime.manifest import CLAIM_KEY, Manifest, decode_manifest, page_digest, page_keys, parse_key

if TYPE_CHECKING:
    from engine.runtime.ports import Output


class InvariantError(Exception):
    """A run did what must never happen."""


def require(holds: object, otherwise: str) -> None:
    """InvariantError unless it holds."""
    if not holds:
        raise InvariantError(otherwise)


class Bound(NamedTuple):
    """A manifest, and how many records each output partition had when it was written."""

    manifest: Manifest
    appended: dict[tuple[str, int], int]


class Watch:
    """Sees every append and commit as it happens."""

    def __init__(self, measurement_partitions: int) -> None:
        self._measurement_partitions = measurement_partitions
        self._pages: dict[int, dict[bytes, bytes]] = {}
        self._appended: dict[tuple[str, int], int] = {}
        self.manifests: dict[int, list[Bound]] = {}
        """By partition of the checkpoints topic, in the order in which they were written."""

    def appended(self, output: Output, partition: int) -> None:
        """A record stands in the log."""
        place = output.topic, partition
        if output.topic == CHECKPOINTS and output.record.key != CLAIM_KEY:
            self._page(partition, output.record.key or b"", output.record.value)
        self._appended[place] = self._appended.get(place, 0) + 1

    def committed(self, topic: str, partition: int, offset: int) -> None:
        """The offset must be one that some manifest stands for."""
        place = {MEASUREMENTS: partition, FINDINGS: self._measurement_partitions + partition}[topic]
        known = {bound.manifest.offset + 1 for bound in self.manifests.get(place, ())}
        require(offset in known, f"{topic}[{partition}]: {offset} was committed, manifests stand at {sorted(known)}")

    def _page(self, partition: int, key: bytes, value: bytes | None) -> None:
        where = f"{CHECKPOINTS}[{partition}]"
        pages = self._pages.setdefault(partition, {})
        if value is None:
            pages.pop(key, None)
            return
        pages[key] = value
        if parse_key(key, where).page is None:
            manifest = decode_manifest(value, where)
            self._whole(manifest, partition, where)
            self.manifests.setdefault(partition, []).append(Bound(manifest, dict(self._appended)))

    def _whole(self, manifest: Manifest, partition: int, where: str) -> None:
        """A manifest stands on pages that stand already; one of a lower term may not, since nobody reads it."""
        if any(bound.manifest.term > manifest.term for bound in self.manifests.get(partition, ())):
            return
        pages = self._pages[partition]
        for entry in manifest.pages:
            parts = [pages.get(key, b"") for key in page_keys(manifest.term, entry)]
            require(
                page_digest(b"".join(parts)) == entry.digest,
                f"{where}: the manifest of term {manifest.term}, epoch {manifest.epoch} names page {entry.name}, "
                "which does not stand there whole",
            )
