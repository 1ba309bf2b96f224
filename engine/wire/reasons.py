"""Why an input is refused: stable codes, which metric labels and dead letters carry, each with its sentence."""

from __future__ import annotations

from typing import Literal, get_args

Reason = Literal[
    "not_utf8",
    "not_json",
    "empty",
    "too_long",
    "not_an_object",
    "missing_field",
    "unknown_field",
    "duplicate_field",
    "wrong_type",
    "not_finite",
    "out_of_range",
    "bad_time",
    "naive_time",
    "looks_like_milliseconds",
    "time_out_of_range",
    "bad_id",
    "bad_provenance",
    "too_many_dimensions",
    "unknown_kpi",
    "unknown_dimension",
    "source_not_allowed",
    "derived_kpi",
    "too_many_series",
    "from_the_future",
    "negative_revision",
    "restated",
    "bad_control",
]

SENTENCES: dict[Reason, str] = {
    "not_utf8": "Bytes that are not UTF-8, or an escape that names half of a surrogate pair.",
    "not_json": "Text that is not JSON.",
    "empty": "A message without a value, of white space only, or an array without items.",
    "too_long": "More bytes than a message may have.",
    "not_an_object": "JSON, but a measurement is a JSON object.",
    "missing_field": "A field that every measurement has is not there: kpi, time or value.",
    "unknown_field": "A field that no measurement has; it may be misspelt.",
    "duplicate_field": "The same name twice in one JSON object: readers disagree on which one counts.",
    "wrong_type": "A field of another type than it must have: a boolean, string or null is not a number.",
    "not_finite": "A value that is NaN or infinite.",
    "out_of_range": "A number too large for what it stands for.",
    "bad_time": "A time that is neither RFC 3339 nor seconds since the epoch.",
    "naive_time": "A local time without an offset: it could mean any of a whole day's moments.",
    "looks_like_milliseconds": "A number of seconds thousands of years away: it was meant in milliseconds or finer.",
    "time_out_of_range": "A time before 1900 or after 2999, or outside the calendar of a KPI whose windows are days.",
    "bad_id": "An id that is empty or longer than 256 characters.",
    "bad_provenance": "A provenance other than automated or self_reported.",
    "too_many_dimensions": "More dimensions than a measurement may have.",
    "unknown_kpi": "No KPI of the catalogue has this id.",
    "unknown_dimension": "The KPI does not have this dimension.",
    "source_not_allowed": "The KPI names its sources and this is none of them.",
    "derived_kpi": "The KPI has a formula: the engine works its values out, and takes them from nobody else.",
    "too_many_series": "The KPI has as many series as it may have.",
    "from_the_future": "An event time further ahead of the last tick than is allowed.",
    "negative_revision": "A revision below zero.",
    "restated": "A higher revision with another event time, or of what present rules have not counted.",
    "bad_control": "A record marked as control that is no tick, activation, ingest mark or re-baseline.",
}

REASONS: tuple[Reason, ...] = get_args(Reason)
"""All of them, for metrics that start at zero."""

BATCH_FAULTS = ("truncated_batch", "corrupt_batch", "unknown_format")
"""Codes of WireErrors that speak of a whole record batch. They are raised and never become dead letters."""
