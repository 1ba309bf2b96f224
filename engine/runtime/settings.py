"""What an operator may set: one flat, checked, immutable set of values. `settings_sources` reads them.

Durations are written `500ms`, `90s`, `15m`, `6h`, `2d`, `1w` and held as integer microseconds.
"""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PositiveInt,
    SecretStr,
    create_model,
    model_validator,
)

from engine.model.limits import Limits
from engine.model.records import Domain
from engine.model.time import DAY, HOUR, MILLISECOND, MINUTE, SECOND, Micros, from_datetime
from engine.runtime.context import Decoding

_UNITS = {"ms": MILLISECOND, "s": SECOND, "m": MINUTE, "h": HOUR, "d": DAY, "w": 7 * DAY}
_DURATION = re.compile(r"([0-9]+)(ms|s|m|h|d|w)")
_URL = re.compile(r"https?://[A-Za-z0-9\[][!-?A-~]*")  # printable, without `@`: no names and passwords in it
_BROKER = re.compile(r"(\[[0-9a-fA-F:]+\]|[^\s:/,]+):([0-9]{1,5})")


def parse_duration(value: object) -> Micros:
    """`15m` as microseconds; an integer is taken to be microseconds already. ValueError for anything else."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    found = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError("expected a whole number with a unit (ms, s, m, h, d, w) such as 90s or 15m")
    return int(found[1]) * _UNITS[found[2]]


def format_duration(value: Micros) -> str:
    """The inverse of `parse_duration` with the largest unit that divides it: `15m`."""
    for unit, size in reversed(_UNITS.items()):
        if value and value % size == 0:
            return f"{value // size}{unit}"
    return f"{value // SECOND}s" if value % SECOND == 0 else f"{value}us"


def parse_start(value: object) -> object:
    """`earliest`, `latest`, or an RFC 3339 time as microseconds; ValueError for anything else."""
    if value is None or isinstance(value, int) or value in ("earliest", "latest"):
        return value
    try:
        return from_datetime(datetime.fromisoformat(str(value)))
    except (ValueError, TypeError):
        raise ValueError("expected earliest, latest, or a time with its offset such as 2026-01-31T00:00:00Z") from None


def _split(value: object) -> object:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _check_broker(value: str) -> str:
    found = _BROKER.fullmatch(value)
    if found is None or not 0 < int(found[2]) < 2**16:
        raise ValueError("expected HOST:PORT such as kafka-1:9092")
    return value


def _check_url(value: SecretStr) -> SecretStr:
    """A secret: whoever knows such an address can beat in our place."""
    if _URL.fullmatch(value.get_secret_value()) is None:
        raise ValueError("expected an address such as https://heartbeats.example.com/worker-1")
    return value


Duration = Annotated[Micros, BeforeValidator(parse_duration), Field(gt=0)]
Broker = Annotated[str, AfterValidator(_check_broker)]
StartAt = Annotated[Literal["earliest", "latest"] | Micros | None, BeforeValidator(parse_start)]


class _LimitFields(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


if TYPE_CHECKING:
    LimitSettings = _LimitFields
else:
    _FIELDS: dict[str, Any] = {field.name: (PositiveInt, field.default) for field in msgspec.structs.fields(Limits)}
    LimitSettings = create_model("LimitSettings", __base__=_LimitFields, **_FIELDS)


class Settings(BaseModel):
    """Every setting with its default. Unknown names are refused; `describe` gives each one's meaning."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)

    brokers: Annotated[tuple[Broker, ...], BeforeValidator(_split), Field(min_length=1)] = Field(
        ("127.0.0.1:9092",), description="bootstrap servers, HOST:PORT each"
    )
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT", description="how to talk to the brokers"
    )
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] | None = Field(
        None, description="how to sign in, with SASL_*"
    )
    sasl_username: str | None = Field(None, description="who signs in")
    sasl_password: SecretStr | None = Field(None, description="the password that goes with it")
    tls_ca_file: Path | None = Field(None, description="certificates to trust; the system's own where absent")
    tls_certificate_file: Path | None = Field(None, description="our certificate, where the brokers ask for one")
    tls_key_file: Path | None = Field(None, description="the key of our certificate")
    tls_key_password: SecretStr | None = Field(None, description="what the key is locked with")

    prefix: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")] = Field(
        "counterpoint", description="stands before the name of each own topic, and names the consumer group"
    )
    measurement_partitions: Annotated[int, Field(ge=1, le=10_000)] = Field(
        12, description="partitions of measurements; fixed once the topics are there"
    )
    finding_partitions: Annotated[int, Field(ge=1, le=10_000)] = Field(
        default_factory=lambda data: data.get("measurement_partitions", 12),
        description="partitions of findings; as many as of measurements unless said",
    )
    replication_factor: Annotated[int, Field(ge=-1, le=100)] = Field(
        -1, description="copies of each partition; -1 leaves it to the brokers"
    )

    domain: Domain = Field("live", description="whose clock the ticks follow: live (the worker's) or replay")
    tick_interval: Duration = Field(10 * SECOND, description="time between two ticks, live")
    start_at: StartAt = Field(
        None, description="where the very first start begins: earliest, latest, or a time; it has no default"
    )
    rules: Annotated[tuple[Path, ...], BeforeValidator(_split), Field(min_length=1)] = Field(
        (Path("rules"),), description="rule files and folders"
    )
    notify_within: Duration = Field(
        7 * DAY, description="a finding older than this is recorded as historical and not delivered as new, live"
    )
    future_max: Duration = Field(HOUR, description="how far a measurement may lie ahead of the last tick")
    decoder: Decoding = Field("scanner", description="scanner: compiled; reference: slow, to compare")

    checkpoint_interval_min: Duration = Field(5 * SECOND, description="no checkpoint sooner after the one before")
    checkpoint_interval_max: Duration = Field(MINUTE, description="no checkpoint later after the one before")
    progress_timeout: Duration = Field(2 * MINUTE, description="a worker without progress for this long exits")
    drain_timeout: Duration = Field(10 * SECOND, description="time to finish in after SIGTERM")
    session_timeout: Duration = Field(30 * SECOND, description="when the group gives a silent worker's work away")
    group_instance_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,249}$")] | None = Field(
        None, description="a name of this worker that outlives restarts (static membership)"
    )

    http_host: str = Field("127.0.0.1", description="where /metrics, /healthz and /readyz are served")
    http_port: Annotated[int, Field(ge=0, le=65_535)] = Field(9464, description="the port; 0 takes any free one")
    heartbeat_url: Annotated[SecretStr, AfterValidator(_check_url)] | None = Field(
        None, description="is asked for (GET) while this worker gets on; whoever waits there hears when it does not"
    )
    heartbeat_interval: Duration = Field(MINUTE, description="time between two heartbeats")
    kpi_gauges: bool = Field(default=False, description="show newest KPI values as metrics")
    kpi_gauges_max: PositiveInt = Field(1_000, description="series shown so; further ones are counted as dropped")
    delivery: Path | None = Field(None, description="the delivery file: whom `counterpoint deliver` tells of what")
    log_format: Literal["auto", "console", "json"] = Field("auto", description="auto: console on a terminal, else json")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="the least that is logged")

    limits: LimitSettings = Field(default_factory=LimitSettings, description="bounds of all that can grow")

    @model_validator(mode="after")
    def _fits_together(self) -> Settings:
        problems = list(_contradictions(self))
        if problems:
            raise ValueError("\n".join(problems))
        return self

    @property
    def engine_limits(self) -> Limits:
        """The limits as the engine takes them."""
        return msgspec.convert(self.limits.model_dump(), Limits)

    @property
    def group(self) -> str:
        """The consumer group of the workers, after the prefix."""
        return self.prefix


def _contradictions(settings: Settings) -> list[str]:
    found = []
    sasl = settings.security_protocol.startswith("SASL")
    if sasl and not (settings.sasl_mechanism and settings.sasl_username and settings.sasl_password):
        found.append(
            f"security_protocol {settings.security_protocol}: "
            "expected sasl_mechanism, sasl_username and sasl_password with it; set all three"
        )
    if not sasl and settings.sasl_password is not None:
        found.append("sasl_password: expected a SASL_* security_protocol with it, or the password would go unused")
    if settings.future_max < settings.tick_interval:
        found.append("future_max: expected at least one tick_interval; raise it, or measurements of now are refused")
    if settings.checkpoint_interval_max < settings.checkpoint_interval_min:
        found.append("checkpoint_interval_max: expected at least checkpoint_interval_min")
    if settings.replication_factor == 0:
        found.append("replication_factor: expected -1 (the brokers decide) or at least 1")
    return found
