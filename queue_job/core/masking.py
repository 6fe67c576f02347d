"""What of the arguments of a job is nobody's business, told by its name.

A name is read as its words: ``author`` is no secret, ``auth_token`` and ``X-Auth-Token`` are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from enum import Enum
from itertools import pairwise

MASK = "•••"
"""What stands where a value is not shown; of the same length whatever it hides."""

SECRET_WORDS = frozenset(
    (
        *("auth", "authorization", "authentication", "bearer", "cookie", "cookies", "cred"),
        *("creds", "csrf", "cvc", "cvv", "otp", "pass", "passphrase", "passwd", "passwort", "pin"),
        *("pwd", "signature", "totp"),
    )
)
"""Words that make a name one of a secret."""

SECRET_ENDINGS = (
    *("apikey", "credential", "credentials", "password", "passwords", "passwd", "secret"),
    *("secrets", "token", "tokens", "privatekey"),
)
"""Endings of such words, which are often written together with what is before them."""

KEYS_OF = frozenset(
    ("access", "api", "app", "client", "consumer", "encryption", "private", "secret", "ssh")
)
"""Words before ``key`` that make it one that opens something."""

WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
IN_URL = re.compile(r"(?P<before>://[^/\s:@]*:)[^/\s@]+(?=@)")
SCHEME = re.compile(
    r"\b(?P<kind>(?i:bearer)\s+|(?i:basic|token|apikey|digest|negotiate)\s+(?=[a-z.-]*[A-Z\d~+/=]))"
    r"[\w.~+/=-]{8,}"
)
"""How a secret is sent, and the secret: but for the first, people use these words in a sentence."""

NAME = re.compile(r"(?<![\w.-])(?P<name>[\w.-]+)\\*[\"']?\s*[=:]\s*")
"""Begins where a word does: from within a long one it would be tried again for each letter."""
QUOTE = re.compile(r"[bru]?(?P<escape>\\*)(?P<quote>[\"'])")
CLOSING = {quote: re.compile(rf"(?<!\\)(?P<escape>\\*){quote}") for quote in "\"'"}
VALUE = re.compile(r"(?:(?i:bearer|basic|token|apikey|digest|negotiate)\s+)?[^\s\"'&]*")
LINE = re.compile(r"[^\r\n]*")
HEADERS = frozenset(("authorization", "cookie", "cookies"))
"""Words that make a name one of a header, whose value has blanks in it."""


class Shown(Enum):
    """How much of the values of a call its reader sees."""

    NOTHING = "nothing"
    """That there are arguments, and their names."""
    NO_SECRETS = "no_secrets"
    """All but what a name says to be secret."""


def is_secret(name: str, named: Iterable[str] = ()) -> bool:
    """Tell whether a value of this name is to be masked.

    :param name: of an argument, or a key in one
    :param named: further names that a function says are secret
    """
    if name in set(named):
        return True
    words = _words(name)
    if any(word in SECRET_WORDS or word.endswith(SECRET_ENDINGS) for word in words):
        return True
    return any(word in KEYS_OF and after in ("key", "keys") for word, after in pairwise(words))


def _words(name: str) -> list[str]:
    return [word.lower() for word in WORD.findall(name)]


def mask_text(text: str, named: Iterable[str] = ()) -> str:
    """Return a text without the secrets that are written in it as in an address or a query.

    A value in quotes goes with all that is between them, that of a header with the rest of its
    line, and any other up to the next blank.

    :param text: any text
    :param named: further names that a function says are secret
    """
    text = IN_URL.sub(rf"\g<before>{MASK}", text)
    text = SCHEME.sub(rf"\g<kind>{MASK}", text)
    return "".join(_without_values(text, frozenset(named)))


def _without_values(text: str, named: frozenset[str]) -> Iterator[str]:
    """Yield a text in pieces, without the values of secret names."""
    told = place = 0
    while found := NAME.search(text, place):
        place = found.end()
        begin, end = _value(text, found) if is_secret(found["name"], named) else (place, place)
        if begin < end:
            yield text[told:begin]
            yield MASK
            told = place = end
    yield text[told:]


def _value(text: str, name: re.Match[str]) -> tuple[int, int]:
    """Return where the value of a name begins and ends."""
    begin = name.end()
    opening = QUOTE.match(text, begin)
    if opening:
        return opening.end(), _closing(text, opening)
    rest = VALUE if HEADERS.isdisjoint(_words(name["name"])) else LINE
    found = rest.match(text, begin)
    return begin, found.end() if found else begin


def _closing(text: str, opening: re.Match[str]) -> int:
    """Return where the text ends that a quote begins: at one that is escaped no more than it."""
    for found in CLOSING[opening["quote"]].finditer(text, opening.end()):
        if len(found["escape"]) <= len(opening["escape"]):
            return found.start()
    return len(text)
