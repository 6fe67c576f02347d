"""Who may have a lease run: only who knows the secret, for this database, this body, lately."""

import pytest
from core.signature import VALID_SECONDS, is_valid, sign
from hypothesis import given
from hypothesis import strategies as st

NOW = 1_700_000_000.5
BODY = b'{"jobs": [[1, 1]]}'
SIGNATURE = sign("secret", "shop", BODY, NOW)


def accepts(signature=SIGNATURE, secret="secret", database="shop", body=BODY, now=NOW):
    return is_valid(signature, secret, database, body, now)


@given(st.text(min_size=1), st.text(), st.binary(), st.floats(0, 1e11))
def test_what_was_signed_is_accepted(secret, database, body, now):
    assert is_valid(sign(secret, database, body, now), secret, database, body, now)


@pytest.mark.parametrize(
    "other",
    [{"secret": "guess"}, {"database": "copy"}, {"body": BODY + b" "}, {"body": b""}],
    ids=str,
)
def test_a_signature_is_good_for_its_secret_database_and_body_alone(other):
    assert accepts()
    assert not accepts(**other)


@pytest.mark.parametrize("age", [0, VALID_SECONDS - 1, -(VALID_SECONDS - 1)])
def test_the_clocks_of_two_servers_may_differ_a_little(age):
    assert accepts(now=NOW + age)


@pytest.mark.parametrize("age", [VALID_SECONDS + 1, -(VALID_SECONDS + 1), 10**9])
def test_an_old_or_early_signature_is_refused(age):
    assert not accepts(now=NOW + age)


def test_without_a_secret_nothing_is_accepted():
    assert not accepts(signature=sign("", "shop", BODY, NOW), secret="")


def test_the_time_in_the_signature_cannot_be_changed():
    stamp, _dot, digest = SIGNATURE.partition(".")
    assert not accepts(f"{int(stamp) + 1}.{digest}")


@pytest.mark.parametrize(
    "signature",
    [
        *("", ".", "1700000000", "1700000000.", ".digest", "x.y", "-1.digest", "1e9.digest"),
        *("\u0661.digest", "\u00b2.digest", "1700000000.\u00e9", "9" * 5000 + ".digest"),
    ],
)
def test_anything_else_is_refused_without_an_error(signature):
    assert not accepts(signature)


@given(st.text())
def test_no_text_from_a_stranger_raises(signature):
    assert not accepts(signature)
