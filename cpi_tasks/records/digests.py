"""Keyed digests of values that must not be on disk, and a short id of the key that made them."""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping

from cpi_tasks.records.folder import StateFolder

_DIGITS_OF_ONE = 32
_DIGITS_OF_ID = 16


class Digests:
    """Digests with the key of a state folder; comparable only where that key is kept."""

    def __init__(self, folder: StateFolder) -> None:
        """Remember the folder; its key is made with the first digest."""
        self._folder = folder

    @property
    def key_id(self) -> str:
        """The id of the key, which is made where there is none."""
        return _id_of(self._folder.key())

    @property
    def known_key_id(self) -> str:
        """The id of the key; empty where there is none."""
        key = self._folder.known_key()
        return "" if key is None else _id_of(key)

    def of_all(self, values: Mapping[str, str]) -> str:
        """Give one digest of keys and values."""
        return _digest(self._folder.key(), json.dumps(sorted(values.items())))

    def of_each(self, values: Mapping[str, str]) -> dict[str, str]:
        """Give a digest for each key, of key and value: equal values of two keys have different digests."""
        secret = self._folder.key()
        return {key: _digest(secret, json.dumps([key, value]))[:_DIGITS_OF_ONE] for key, value in values.items()}


def _id_of(key: bytes) -> str:
    return _digest(key, "the id of this key")[:_DIGITS_OF_ID]


def _digest(key: bytes, text: str) -> str:
    return hmac.digest(key, text.encode(), "sha256").hex()
