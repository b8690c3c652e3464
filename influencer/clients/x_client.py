"""tweepy's client with a base address, a time limit and multipart bodies; imported only by `x.py`.

`tweepy.Client.request` has its host, and no time limit, in local variables; so this one replaces it.
Signing follows the address really sent, in production and against the stand-in alike.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, ClassVar

import requests
import tweepy

from influencer.clients import network
from influencer.clients.credentials import XCredentials

# At DEBUG these write keys, signatures and whole bodies.
for _name in ("tweepy", "oauthlib", "requests_oauthlib"):
    logging.getLogger(_name).setLevel(logging.INFO)

_ERRORS = {
    400: tweepy.BadRequest,
    401: tweepy.Unauthorized,
    403: tweepy.Forbidden,
    404: tweepy.NotFound,
    429: tweepy.TooManyRequests,
}


class Client(tweepy.Client):
    """A `tweepy.Client` for one user. It never sleeps: a used-up limit is an error like any other."""

    refused: ClassVar[type[Exception]] = tweepy.HTTPException

    def __init__(self, credentials: XCredentials, *, base_url: str, seconds: float) -> None:
        super().__init__(
            consumer_key=credentials.app_key,
            consumer_secret=credentials.app_secret,
            access_token=credentials.access_token,
            access_token_secret=credentials.access_secret,
            wait_on_rate_limit=False,
        )
        self.base_url = base_url.rstrip("/")
        self.seconds = seconds
        self.session.trust_env = False

    def request(
        self,
        method: str,
        route: str,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        user_auth: bool = True,
        **multipart: Any,
    ) -> requests.Response:
        """One call; `files` and `data` make it multipart. Raises tweepy's errors and those of requests."""
        signature = tweepy.OAuth1UserHandler(
            self.consumer_key, self.consumer_secret, self.access_token, self.access_token_secret
        )
        # Closed after each call: a kept connection the other side has dropped would make a post's
        # outcome unknown for nothing.
        with self.session:
            response = self.session.request(
                method,
                self.base_url + route,
                params=params,
                json=json,
                headers={"User-Agent": self.user_agent},
                auth=signature.apply_auth(),
                timeout=(network.CONNECT_SECONDS, self.seconds),
                allow_redirects=False,
                **multipart,
            )
        if not 200 <= response.status_code < 300:
            raise _error(response)
        return response


def _error(response: requests.Response) -> Exception:
    fallback = tweepy.TwitterServerError if response.status_code >= 500 else tweepy.HTTPException
    kind = _ERRORS.get(response.status_code, fallback)
    # An empty body on purpose: tweepy trips over one of another shape, and `x.py` reads it itself.
    error: Exception = kind(response, response_json={})
    return error
