"""Which parameter values are never shown: those whose key, or whose own look, says that they are secret."""

from __future__ import annotations

import re

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_]+")
_SECRET_WORDS = frozenset({"pass", "pw", "pin", "otp", "jwt", "cred", "creds", "bearer", "cookie", "salt", "sas"})
_SECRET_STEMS = re.compile(
    "passw|passphrase|passcode|pwd|secret|token|credential|private|signature|kennwort|geheim|schl(ue|ü)ssel"
    "|auth(?!or(?!i[sz]))"  # not the author of something, but authorization
)
_HARMLESS_KEYS = frozenset({"monkey", "donkey", "turkey", "hockey", "jockey", "whiskey", "keyboard", "keynote"})
_SECRET_VALUE = re.compile(
    r"://[^/\s:@]{0,300}:[^\s@]{1,1000}@"  # https://user:password@host; bounded, or a long value takes minutes
    r"|^\s*(basic|bearer)\s+\S{6,}"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY"
    r"|(password|passwd|pwd|secret|token|api[-_]?key)\s*[=:]\s*\S",  # jdbc:…;password=…
    re.IGNORECASE,
)


def looks_secret(key: str, value: str | None) -> bool:
    """Tell whether a parameter's value must not be shown; where that is doubtful, it must not.

    Keys are taken apart into words (``dbPassword``, ``API-KEY``), so that ``Monkey`` has no ``key`` in it.
    """
    words = [word.lower() for word in _WORD.findall(key)]
    if any(word in _SECRET_WORDS or _is_some_key(word) for word in words):
        return True
    # Joined as well: "pass_word" has the stem in no single word.
    if _SECRET_STEMS.search(key.lower()) or _SECRET_STEMS.search("".join(words)):
        return True
    return value is not None and _SECRET_VALUE.search(value) is not None


def _is_some_key(word: str) -> bool:
    singular = word.removesuffix("s")
    return (singular.startswith("key") or singular.endswith("key")) and singular not in _HARMLESS_KEYS
