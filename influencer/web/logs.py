"""What Django writes of requests that were refused, less what does not belong into the log."""

from __future__ import annotations

import logging
import re

TOKEN = re.compile(r"/setup/[^/\s]+")


class HideSetupToken(logging.Filter):
    """Blanks the token of the set-up link: every refused path is written."""

    def filter(self, record: logging.LogRecord) -> bool:
        if "/setup/" in record.getMessage():
            record.msg, record.args = TOKEN.sub("/setup/…", record.getMessage()), ()
        return True


class LeaveOutHealth(logging.Filter):
    """Drops the refusals of `/healthz`: whoever asks is told, and may ask every second."""

    def filter(self, record: logging.LogRecord) -> bool:
        return getattr(getattr(record, "request", None), "path", "") != "/healthz"
