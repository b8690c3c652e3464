"""What happens to an account, told where it happens: in a worker, too, with no page open.

Whoever listens (`happened`) is called inside the transaction that makes it so, and can't break it.
"""

from __future__ import annotations

import logging
from typing import Literal

from django.db import transaction
from django.dispatch import Signal

Level = Literal["ok", "note", "warn", "bad"]

# Sent with `account` (its key in the ledger, or an X app's), `level`, `text` and `code`.
happened = Signal()

log = logging.getLogger(__name__)


def tell(account: str, level: Level, text: str, code: str = "") -> None:
    """Say it to whoever listens. The text holds no secret and does not name the account."""
    try:
        with transaction.atomic():
            happened.send(None, account=account, level=level, text=text, code=code)
    except Exception:  # whoever listens must not keep a post from going out
        log.exception("account %s: %s could not be told", account, code or level)
