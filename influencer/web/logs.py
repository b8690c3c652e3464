"""Keeps the set-up link out of the log: Django writes the path of every refused request."""

from __future__ import annotations

import logging
import re

TOKEN = re.compile(r"/setup/[^/\s]+")


class HideSetupToken(logging.Filter):
    """Blanks the token in a record's words."""

    def filter(self, record: logging.LogRecord) -> bool:
        if "/setup/" in record.getMessage():
            record.msg, record.args = TOKEN.sub("/setup/…", record.getMessage()), ()
        return True
