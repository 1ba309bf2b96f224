"""The checkpoint protocol over one partition of the checkpoints topic: claim, recover, write, sweep.

A term is the offset of the claim; keys start with it. Whoever holds a lower term may write on: nobody reads it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from engine.errors import LogError, StateError
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


FORGETFUL = "mockCluster"
"""How the cluster id of the embedded broker begins: it drops the oldest records beyond 5 MB instead of compacting."""


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
        self._end = 0
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

        StateError when a page that it names is absent or damaged, or the manifest cannot be read. LogError when the
        embedded broker has dropped what stood at the beginning.
        """
        self._end = await self._log.start(CHECKPOINTS, self._partition)
        if self._end and (await self._log.identity(CHECKPOINTS)).startswith(FORGETFUL):
            raise LogError(
                f"{self._where}: the embedded broker has dropped the records below {self._end}, and pages or manifests "
                "among them: nothing is recovered from here. Start again from nothing, or use a real Apache Kafka"
            )
        present: dict[bytes, bytes] = {}
        await self._claim(present)
        self._superseded = [key for key in present if self._is_lower(key)]
        manifests = [key for key in present if parse_key(key, self._where).page is None]
        if not manifests:
            return None
        manifest = decode_manifest(present[max(manifests)], self._where)
        return Recovered(manifest, {entry.name: self._load(manifest.term, entry, present) for entry in manifest.pages})

    async def hold(self) -> None:
        """Claim anew if somebody claimed after us, so that what is written here goes on being read.

        A worker that was paused before its claim comes back with a higher term than the owner's. The state at hand is
        as good as ever, but the next checkpoint is the first of a new term.
        """
        if await self._log.end(CHECKPOINTS, self._partition) == self._end:
            return
        others: dict[bytes, bytes] = {}
        if await self._read_on(others):
            others |= {key: b"" for entry in self._pages.values() for key in page_keys(self.term, entry)}
            others |= {manifest_key(self.term): b""} if self.manifest_written else {}
            await self._claim(others)
        self._superseded += [key for key in others if self._is_lower(key)]

    async def _claim(self, present: dict[bytes, bytes]) -> None:
        """Append claims until none of another's is later, and bring `present` up to there."""
        outclaimed = True
        while outclaimed:
            claim = Output(CHECKPOINTS, self._partition, Record(CLAIM_KEY, b"claim"))
            [(_, self.term)] = await self._log.append([claim])
            self._epoch, self._pages = 0, {}
            outclaimed = await self._read_on(present)

    async def _read_on(self, present: dict[bytes, bytes]) -> bool:
        """Bring `present`, pages and manifests by key, up to the end; whether a claim later than ours stands there.

        Not only up to our claim: a paused owner may still replace its manifest, and compaction then takes away the
        older one, which alone would lie below the claim.
        """
        outclaimed = False
        while (batch := await self._log.read(CHECKPOINTS, self._partition, self._end)) is not None:
            for offset, key, value, _ in records(batch):
                if key is None or key == CLAIM_KEY:
                    outclaimed = outclaimed or offset > self.term
                elif value is None:
                    present.pop(key, None)
                else:
                    present[key] = value
            self._end = batch.next_offset
        return outclaimed

    async def _append(self, outputs: Sequence[Output]) -> None:
        """Append own records; where nobody else wrote since, they need not be read again."""
        offsets = [offset for _, offset in await self._log.append(outputs)]
        if offsets[0] == self._end and offsets[-1] - offsets[0] == len(outputs) - 1:
            self._end = offsets[-1] + 1

    def _is_lower(self, key: bytes) -> bool:
        return parse_key(key, self._where).term < self.term

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
            await self._append(portion)
        await self._append([self._manifest_record(manifest, epoch, standing)])
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
        await self._append([Output(CHECKPOINTS, self._partition, Record(key, None)) for key in doomed])
