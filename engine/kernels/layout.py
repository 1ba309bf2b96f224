"""The arrays of stage 1: one structured dtype a table, one row an entity.

Times are int64 microseconds. A *view* is one way in which a KPI is looked at (windows of one kind, raw points, or
silence);
a *slot* is one view of one series; a *cell* is one step of event time of a window slot; an *instance* is one rule on
one series. Rows of one series lie together, in the order of the views and rules of its KPI.

Where rows stand is unsigned in what each measurement goes through: a place that might be negative would be counted from
the end, and compared with zero each time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, cast

import numpy as np

from engine.model.sketch import SKETCH_ENTRIES

if TYPE_CHECKING:
    from numpy.typing import NDArray

UNSET = -(2**62)
"""A time or index that is not known yet; below every real one."""

ID_BYTES = 40
"""Ids are kept whole up to here; a longer one as its first 23 bytes, a tilde and its hash in hex."""

WINDOWS, RAW, SILENCE = 0, 1, 2
"""View kinds."""

THRESHOLD, CHANGE, MISSING, TREND, ANOMALY, CONTROL = 0, 1, 2, 3, 4, 5
"""Rule kinds."""

ABOVE, BELOW, OUTSIDE, INSIDE = 0, 1, 2, 3
"""Threshold operators."""

COUNT, SUM, MEAN, MIN, MAX, LAST, SHARE, RATE, DEVIATION, QUANTILE, DISTINCT = range(11)
"""Aggregations. From RATE on they need more than the parts that all cells have."""

AGGREGATIONS = (
    "count", "sum", "mean", "min", "max", "last", "share", "rate", "deviation", "quantile", "distinct",
)  # fmt: skip

DISABLED, INACTIVE, PENDING, FIRING, RECOVERING = -1, 0, 1, 2, 3
"""Phases of an instance; a disabled one belongs to a rule that does not concern its series."""

NOTHING, FIRED, RESOLVED, WORSENED = 0, 1, 2, 3
"""What a step may bring about."""

TRANSITION, CLOSED, REVISE, FUTURE, RESTATED, OUT_OF_RANGE, EVALUATED = range(7)
"""Codes of results; EVALUATED only of rules that are traced."""

JUDGED, WARM_UP, NOT_KNOWN = cast("tuple[int, int, int]", (np.int64(0), np.int64(1), np.int64(2)))
"""What an evaluation came to: a verdict, a point of the warm-up, or one that the condition knew too little for."""

SILENT, SPOKEN = cast("tuple[int, int]", (np.int64(0), np.int64(1)))
"""Whether a step puts its transition out, or only moves the state."""

NO_COLUMN, NO_INDEX = cast("tuple[int, int]", (np.int64(-1), np.int64(0)))
"""What is not brought about by a measurement; what is no window. These, like SILENT and SPOKEN, have a type: each plain
number would be a type of its own to numba, and everything beneath compiled once more for it.
"""

DONE, RESULTS_FULL, LEDGER_FULL, POINTS_FULL, REVISION_DUE = range(5)
"""Why a pass over columns stopped."""

RESULTS, EVIDENCE, LEDGER, LATE, LATE_RAW, DUPLICATES, ACCEPTED, POINTS_SLOT, IDS_LIMIT, POINTS_LIMIT, REVISED = range(
    11
)
"""Places in the counter array: rows used of results, evidence and ledger; measurements by fate; the slot to enlarge;
how often a series was at its limit of ids, and of raw points; measurements that were restated."""
COUNTERS = 11

KPI = np.dtype([("view", "i4"), ("views", "i4"), ("clock", "i4")], align=True)
"""`clock`: -1 for the partition's ticks, else the index of the mapped source whose marks age its series."""

VIEW = np.dtype(
    [
        ("kpi", "i4"),
        ("kind", "i4"),
        ("step", "i8"),
        ("span", "i4"),
        ("cells", "i4"),
        ("calendar", "i4"),
        ("rule", "i4"),
        ("rules", "i4"),
        ("publish", "i4"),
        ("aggregation", "i4"),
        ("quantile", "i4"),
        ("period", "i4"),
        ("sketches", "i4"),
        ("lateness", "i8"),
        ("grace", "i8"),
        ("idle", "i8"),
        ("silent", "i8"),
    ],
    align=True,
)
"""`lateness`: how long a window waits past its end; `grace`: how long it can be amended after that (of raw points the
lateness holds both). `silent`: after so much silence alerts of its rules end, 0: never. `span`: cells a window;
`cells`: length of a slot's ring; `calendar` -1: plain arithmetic by `step`. `period`: the row of `periods` that says
with which cell a window begins (then `span` is the most that it may have), -1: `span` cells. `sketches`: as many as
`cells` where the aggregation needs them, else 0."""

RULE = np.dtype(
    [
        ("kind", "i4"),
        ("view", "i4"),
        ("op", "i4"),
        ("low", "f8"),
        ("high", "f8"),
        ("recover_at", "f8"),
        ("lag", "i8"),
        ("count", "i4"),
        ("width", "i4"),
        ("up", "f8"),
        ("down", "f8"),
        ("relative", "i4"),
        ("for_", "i8"),
        ("keep", "i8"),
        ("m", "i4"),
        ("of", "i4"),
        ("warm_up", "i4"),
        ("after", "i8"),
        ("worse", "f8"),
        ("worse_relative", "i4"),
        ("level_limit", "f8"),
        ("slope_limit", "f8"),
        ("season", "i8"),
        ("shapes", "i8"),
        ("direction", "i8"),
        ("learn", "i8"),
        ("ring", "i8"),
        ("slots", "i8"),
        ("stretch", "i8"),
        ("stretches", "i8"),
        ("lasting", "i8"),
        ("calm", "i8"),
        ("declared", "i8"),
        ("scratch", "i8"),
        ("chart", "i4"),
        ("scatter", "i4"),
        ("varying", "i4"),
        ("centre", "f8"),
        ("sigma", "f8"),
        ("gain", "f8"),
        ("slack", "f8"),
        ("head_start", "f8"),
        ("traced", "i4"),
    ],
    align=True,
)
"""NaN in `recover_at`, `up`, `down`, `worse`: not stated. `traced` 1: every point that is judged is told, for whoever
asks how rules fare; a worker traces none. `worse`: by how much the worst value must move on from the
one that was told last to be worth another word, a share of that with `worse_relative`. `width`: floats of history that
an instance keeps; `count`: values that its evidence lists; `scratch`: floats that a step needs besides. `m`, `of`: in
how many of how many points it must hold (`of` 0: in the present one); `warm_up`: points before anything is said.

Of a trend break: `direction` 0 both, 1 up, -1 down; `up` the least size; `learn` windows before it judges (0: two
seasons); `ring` windows under test; `season` windows a season of `slots` slots; `stretch` windows a stretch,
of which `stretches` are kept; `lasting` windows after which a break is the usual level.

Of a control chart: `shapes` run rules, as bits; `centre`, `sigma` as declared, NaN: learned from `learn` windows, sigma
as `scatter` says; `level_limit` of the EWMA (with its `gain`; `varying` limits widen from the first point on) or the
CUSUM (with its `slack`), in sigmas.

Of an anomaly: `direction`, `up`, `learn`, `season`, `slots` as of a trend break; `level_limit` what a score must pass;
`declared` 1 where the rule says the season; `lasting` windows outside the band after which the level moves there;
`calm` windows within it after which an incident is over."""

SERIES = np.dtype(
    [
        ("kpi", "u4"),
        ("slot", "u4"),
        ("newest", "i8"),
        ("waiting", "i8"),
        ("bound", "i8"),
        ("mark", "i8"),
        ("ids_before", "i4"),
        ("ids_since", "i4"),
    ],
    align=True,
)
"""`newest`: the watermark; `waiting`: the first tick after the last measurement; `bound`: older input is late,
whatever the views say. The rest counts ids in two generations, parted at `mark`."""

SLOT = np.dtype(
    [
        ("series", "i4"),
        ("view_row", "u4"),
        ("cell", "u4"),
        ("instance", "u4"),
        ("point", "i4"),
        ("room", "i4"),
        ("head", "i4"),
        ("points", "i4"),
        ("provisional", "i4"),
        ("revision", "i4"),
        ("final", "i8"),
        ("closed", "i8"),
        ("newest", "i8"),
    ],
    align=True,
)
"""Windows: those below `final` can no longer change, those from there to below `closed` were judged and can. Raw:
points up to time `final` are final; the others stand sorted in the ring at `point` + `head`."""

CELL = np.dtype(
    [
        ("index", "i8"),
        ("count", "i8"),
        ("sum", "f8"),
        ("min", "f8"),
        ("max", "f8"),
        ("nonzero", "i8"),
        ("last", "f8"),
        ("last_time", "i8"),
        ("hash_sum", "u8"),
        ("extra", "f8"),
        ("sketch", "i4"),
        ("first_length", "i4"),
        ("last_length", "i4"),
        ("first_id", "u1", (ID_BYTES,)),
        ("last_id", "u1", (ID_BYTES,)),
    ],
    align=True,
)
"""The mergeable parts of an aggregate; `index` says which step of event time the ring's place holds.

`extra`: of a deviation the sum of squared distances from the mean, of a rate, quantile or number of distinct values in
a whole window its value. `sketch`: where the cell's sketch lies; the next one's place where it has none.
"""

SKETCH = np.dtype(
    [("level", "i4"), ("used", "i4"), ("key", "i8", (SKETCH_ENTRIES,)), ("count", "u4", (SKETCH_ENTRIES,))], align=True
)
"""What quantiles and numbers of distinct values are taken from: `used` entries in order of `key`."""

POINT = np.dtype([("time", "i8"), ("value", "f8"), ("length", "i4"), ("id", "u1", (ID_BYTES,))], align=True)

INSTANCE = np.dtype(
    [
        ("rule", "u4"),
        ("slot", "u4"),
        ("phase", "i4"),
        ("history", "u4"),
        ("since", "i8"),
        ("opened", "i8"),
        ("points", "i8"),
        ("first", "i8"),
        ("last", "i8"),
        ("worst", "f8"),
        ("excess", "f8"),
        ("told", "f8"),
        ("fired_at", "i8"),
        ("resolved_at", "i8"),
        ("fired_revision", "i4"),
        ("resolved_revision", "i4"),
        ("opened_revision", "i4"),
        ("seen", "i4"),
        ("recent", "u8"),
        ("pushed", "i8"),
    ],
    align=True,
)
"""`since`: first breach while pending, first clear point while recovering. `points` to `excess`: the episode so far;
`told`: the worst value that was said of it.
`opened_revision`: of the
finding that opened it. `seen`: points of the warm-up that it has had; `recent`: which of the last points breached, a
bit each, the present one lowest. `history`: where its floats begin; `pushed`: the newest window index in them."""

ID = np.dtype([("hash", "u8"), ("time", "i8"), ("value", "f8"), ("row", "i4"), ("revision", "i4")], align=True)
"""One accepted measurement, in order of acceptance. `value` NaN: not every view of its series has counted it."""

RESULT = np.dtype(
    [
        ("code", "i4"),
        ("column", "i4"),
        ("slot", "i4"),
        ("instance", "i4"),
        ("transition", "i4"),
        ("revision", "i4"),
        ("time", "i8"),
        ("index", "i8"),
        ("start", "i8"),
        ("end", "i8"),
        ("value", "f8"),
        ("statistic", "f8"),
        ("limit", "f8"),
        ("baseline", "f8"),
        ("evidence", "i4"),
        ("evidences", "i4"),
        ("opened", "i8"),
        ("points", "i8"),
        ("first", "i8"),
        ("last", "i8"),
        ("worst", "f8"),
        ("told", "f8"),
        ("waiting", "i8"),
        ("seen", "i8"),
        ("phase", "i4"),
        ("outcome", "i4"),
        ("window", CELL),
    ],
    align=True,
)
"""What leaves: a transition or a closed window, with all that its evidence needs. `phase` (after it) and `outcome`
(JUDGED, WARM_UP, NOT_KNOWN) are those of an evaluation, which has nothing else but `slot`, `instance`, `time`, `value`,
`statistic`, `limit` and `baseline`."""


class Tables(NamedTuple):
    """All arrays of one partition: the plan's (read only), the state's, and what a pass writes.

    `calendars` (calendars, boundaries) int64; `periods` (periods, boundaries) int64: the first index of the period that
    each belongs to; `history` float64; `places` uint32, the hash index of `ids` (position + 1, 0 empty; its length is a
    power of two); `result_sketches`: one a result, where any view has sketches; `evidence_index` int64 and
    `evidence_value` float64 run in step; `dirty` uint8, one a block of series; `counters` int64; `scratch` float64.
    """

    kpis: NDArray[np.void]
    views: NDArray[np.void]
    rules: NDArray[np.void]
    calendars: NDArray[np.int64]
    periods: NDArray[np.int64]
    series: NDArray[np.void]
    slots: NDArray[np.void]
    cells: NDArray[np.void]
    sketches: NDArray[np.void]
    points: NDArray[np.void]
    instances: NDArray[np.void]
    base: NDArray[np.void]
    history: NDArray[np.float64]
    ids: NDArray[np.void]
    places: NDArray[np.uint32]
    results: NDArray[np.void]
    result_sketches: NDArray[np.void]
    evidence_index: NDArray[np.int64]
    evidence_value: NDArray[np.float64]
    dirty: NDArray[np.uint8]
    counters: NDArray[np.int64]
    scratch: NDArray[np.float64]


SERIES_A_BLOCK = 256
"""Series are checkpointed in blocks of this many: a page holds all rows of a block."""
