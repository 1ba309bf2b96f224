"""The checkpoint protocol over one partition of the checkpoints topic: claim, recover, write, sweep.

A term is the offset of the claim; keys start with it. Whoever holds a lower term may write on: nobody reads it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from engine.errors import StateError
from engine.model.topics import CHECKPOINTS
from engine.runtime.manifest import (
    CLAIM_KEY,
    Manifest,
    PageEntry,
    decode_manifest,
    manifest_key,
    page_digest,
    page_keys,
    parse_key,
    split_page,
)
from engine.runtime.ports import Log, Output
from engine.wire.batch import Record
from engine.wire.records import records

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

APPEND_BYTES_MAX = 4_000_000
"""Pages are appended in portions of this size, so that a producer's buffer is not asked for all of them at once."""


class Recovered(NamedTuple):
    """What the manifest of the highest term stands for."""

    manifest: Manifest
    pages: dict[str, bytes]


class Checkpoints:
    """The checkpoints of one partition of one stage, under a term of their own after `recover`."""

    def __init__(self, log: Log, partition: int) -> None:
        self._log = log
        self._partition = partition
        self._where = f"{CHECKPOINTS}[{partition}]"
        self.term = -1
        self._epoch = 0
        self._pages: dict[str, PageEntry] = {}
        self._superseded: list[bytes] = []

    @property
    def manifest_written(self) -> bool:
        """Whether this term has a manifest; before it has, a checkpoint must hold every page."""
        return self._epoch > 0

    @property
    def newest(self) -> tuple[int, int]:
        """Term and epoch of the last manifest that was written here."""
        return self.term, self._epoch

    async def recover(self) -> Recovered | None:
        """Claim a higher term, then load what the manifest of the highest term names; None when there is no manifest.

        StateError when a page that it names is absent or damaged, or the manifest cannot be read.
        """
        term = await self._claim()
        present = await self._read_all()
        self.term, self._epoch, self._pages = term, 0, {}
        self._superseded = [key for key in present if parse_key(key, self._where).term < term]
        manifests = [key for key in present if parse_key(key, self._where).page is None]
        if not manifests:
            return None
        manifest = decode_manifest(present[max(manifests)], self._where)
        return Recovered(manifest, {entry.name: self._load(manifest.term, entry, present) for entry in manifest.pages})

    async def _claim(self) -> int:
        claim = Output(CHECKPOINTS, self._partition, Record(CLAIM_KEY, b"claim"))
        [(_, offset)] = await self._log.append([claim])
        return offset

    async def _read_all(self) -> dict[bytes, bytes]:
        """Every page and manifest that stands, by key.

        Reading goes on past the claim until nothing is left: a paused owner may still replace its manifest, and
        compaction then takes away the older one, which alone would lie below the claim.
        """
        present: dict[bytes, bytes] = {}
        offset = await self._log.start(CHECKPOINTS, self._partition)
        while (batch := await self._log.read(CHECKPOINTS, self._partition, offset)) is not None:
            for record in records(batch):
                if record.key is None or record.key == CLAIM_KEY:
                    continue
                if record.value is None:
                    present.pop(record.key, None)
                else:
                    present[record.key] = record.value
            offset = batch.next_offset
        return present

    def _load(self, term: int, entry: PageEntry, present: Mapping[bytes, bytes]) -> bytes:
        named = f"{self._where}: page {entry.name} of term {term}, epoch {entry.epoch}"
        keys = page_keys(term, entry)
        missing = [key for key in keys if key not in present]
        if missing:
            raise StateError(f"{named}: the manifest names it, but {missing[0].decode()} is not there")
        data = b"".join(present[key] for key in keys)
        if page_digest(data) != entry.digest:
            raise StateError(f"{named}: digest {entry.digest} was expected, found {page_digest(data)}: it is damaged")
        return data

    async def write(self, manifest: Manifest, pages: Mapping[str, bytes]) -> None:
        """Write the changed `pages` (empty: gone), and when they are acknowledged the manifest over all that stand.

        `term`, `epoch` and `pages` of the given manifest are filled in here.
        """
        epoch = self._epoch + 1
        standing, superseded = dict(self._pages), list[bytes]()
        for name, data in pages.items():
            if name in standing:
                superseded += page_keys(self.term, standing.pop(name))
            if data:
                standing[name] = PageEntry(name, epoch, len(split_page(data)), page_digest(data))
        for portion in self._portions([(standing[name], data) for name, data in pages.items() if data]):
            await self._log.append(portion)
        await self._log.append([self._manifest_record(manifest, epoch, standing)])
        self._epoch, self._pages = epoch, standing
        self._superseded += superseded

    def _manifest_record(self, facts: Manifest, epoch: int, standing: Mapping[str, PageEntry]) -> Output:
        pages = tuple(standing[name] for name in sorted(standing))
        manifest = replace(facts, term=self.term, epoch=epoch, pages=pages)
        return Output(CHECKPOINTS, self._partition, Record(manifest_key(self.term), manifest.encode()))

    def _portions(self, pages: Sequence[tuple[PageEntry, bytes]]) -> Iterator[list[Output]]:
        portion, size = list[Output](), 0
        for entry, data in pages:
            for key, part in zip(page_keys(self.term, entry), split_page(data), strict=True):
                portion.append(Output(CHECKPOINTS, self._partition, Record(key, part)))
                size += len(part)
            if size >= APPEND_BYTES_MAX:
                yield portion
                portion, size = [], 0
        if portion:
            yield portion

    async def sweep(self) -> None:
        """Delete the pages that the last manifest no longer names, and after a term's first also all of lower terms."""
        if not self._superseded:
            return
        doomed, self._superseded = self._superseded, []
        await self._log.append([Output(CHECKPOINTS, self._partition, Record(key, None)) for key in doomed])
