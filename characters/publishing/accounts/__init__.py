"""Where a character posts: a real account, the sandbox, or nowhere; how it stands, and how it is reached."""

from .account import NAMES, SANDBOX, Account
from .finding import (
    HANDLES,
    account,
    accounts_of,
    any_account_is_real,
    called,
    has_credentials,
    platform_of,
    require,
    sharing,
    with_standing,
)
from .keys import FIELDS, app_key, mark_of, token
from .reaching import address_of, id_in, profile_url, publisher

__all__ = [
    "FIELDS",
    "HANDLES",
    "NAMES",
    "SANDBOX",
    "Account",
    "account",
    "accounts_of",
    "address_of",
    "any_account_is_real",
    "app_key",
    "called",
    "has_credentials",
    "id_in",
    "mark_of",
    "platform_of",
    "profile_url",
    "publisher",
    "require",
    "sharing",
    "token",
    "with_standing",
]
