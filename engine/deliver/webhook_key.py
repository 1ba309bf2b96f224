"""Keys of Standard Webhooks. Library: standardwebhooks, the reference; optional, imported when needed."""

from __future__ import annotations

import binascii
from typing import TYPE_CHECKING

from engine.deliver.wrong import Wrong
from engine.errors import ConfigError

if TYPE_CHECKING:
    from standardwebhooks import Webhook

KEY_BYTES_MIN = 16


def make_key(secret: str) -> Webhook:
    """The key that signs. ConfigError when the library is not there, or when it is no key."""
    try:
        from standardwebhooks import Webhook  # noqa: PLC0415 - optional
    except ImportError:
        raise ConfigError(
            [
                (
                    "receivers of type webhook need the package standardwebhooks, found none; "
                    "run `pip install 'counterpoint-kpi[deliver]'`"
                )
            ]
        ) from None
    if (wrong := what_is_wrong_with_key(secret)) is not None:
        raise ConfigError([f"expected {wrong.expected}, found {wrong.found}; {wrong.mend}"])
    return Webhook(secret)


def what_is_wrong_with_key(secret: str) -> Wrong | None:
    """None where it is one: base64 of at least 16 bytes, with or without `whsec_` before it."""
    try:
        size = len(binascii.a2b_base64(secret.removeprefix("whsec_") + "=="))
    except (binascii.Error, ValueError):
        size = 0
    if size >= KEY_BYTES_MIN:
        return None
    return Wrong(
        f"`whsec_` and at least {KEY_BYTES_MIN} bytes in base64",
        "something else (it is not shown)",
        "make one: `whsec_` and what `openssl rand -base64 24` prints",
    )
