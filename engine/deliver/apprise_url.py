"""URLs of apprise. Library: apprise, which knows more than a hundred chats, mail and pagers; optional, imported when
needed.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from engine.deliver.wrong import Wrong
from engine.errors import ConfigError

if TYPE_CHECKING:
    from types import ModuleType

    from apprise import NotifyBase


def import_apprise() -> ModuleType:
    """The library; ConfigError when it is not there."""
    try:
        with warnings.catch_warnings():
            # Its plugins, which it loads at the first URL, use what Python will drop.
            warnings.simplefilter("ignore", DeprecationWarning)
            import apprise  # noqa: PLC0415 - optional, and a second to import
            from apprise.manager_plugins import NotificationManager  # noqa: PLC0415 - the same

            NotificationManager().load_modules()  # type: ignore[no-untyped-call]  # the library's own
    except ImportError:
        raise ConfigError(
            [
                (
                    "receivers of type apprise need the package apprise, found none; "
                    "run `pip install 'counterpoint-kpi[deliver]'`"
                )
            ]
        ) from None
    return apprise


def open_url(url: str) -> NotifyBase | None:
    """Who the URL names; None when it is none that apprise knows. Nothing is kept on disk."""
    apprise = import_apprise()
    asset = apprise.AppriseAsset(
        app_id="Counterpoint",
        app_desc="Counterpoint",
        app_url="",
        storage_mode=apprise.PersistentStoreMode.MEMORY,
        secure_logging=True,
    )
    log = apprise.logger
    log.disabled = True  # what it says of a URL that it cannot use has the URL in it, and that a password
    try:
        found: NotifyBase | None = apprise.Apprise.instantiate(url, asset=asset, suppress_exceptions=True)
    finally:
        log.disabled = False
    return found


def what_is_wrong_with_url(url: str) -> Wrong | None:
    """None where apprise can use it."""
    if open_url(url) is not None:
        return None
    return Wrong(
        "a URL that apprise knows", "something else (it is not shown)", "look it up in apprise's documentation"
    )
