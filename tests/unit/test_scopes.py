"""What scopes contain, and how long credentials may hold."""

import pytest

from app.auth.principals import Principal
from app.auth.scopes import known, wider
from app.auth.sessions import NOBODY_IN_PARTICULAR, Session, SessionCache
from app.catalog.lifetimes import read_lifetime
from app.errors import BadRequestException


@pytest.mark.parametrize(
    ("held", "contained"),
    [
        ("catalog", {"catalog", "manage", "write", "read", "sign"}),
        ("manage", {"manage", "write", "read", "sign"}),
        ("write", {"write", "read", "sign"}),
        ("read", {"read"}),
        ("sign", {"sign"}),
    ],
)
def test_what_a_scope_contains(held: str, contained: set[str]) -> None:
    every = ("catalog", "manage", "write", "read", "sign")
    assert {scope for scope in every if not wider([scope], [held])} == contained


def test_several_scopes() -> None:
    assert wider(["read", "sign"], ["read", "sign"]) == []
    assert wider(["write", "read"], ["read", "sign"]) == ["write"]
    assert wider([], ["read"]) == []
    assert wider(["read"], []) == ["read"]


def test_unknown_scopes_are_left_out() -> None:
    assert known(["PRINCIPAL_ROLE:ALL", "read", "x", "read", "catalog"]) == ("read", "catalog")


def test_lifetime_in_the_message() -> None:
    assert read_lifetime("0h", "old-valid-for", least=0) == 0
    with pytest.raises(BadRequestException, match="expires-in '0h': expected 1h to 10y"):
        read_lifetime("0h", "expires-in")


class TestSessionCache:
    def test_grown_version_forgets_everything(self) -> None:
        cache = SessionCache()
        assert cache.find(b"a", 3) is None
        cache.keep(b"a", 3, NOBODY_IN_PARTICULAR)
        assert cache.find(b"a", 3) is NOBODY_IN_PARTICULAR
        assert cache.find(b"a", 2) is NOBODY_IN_PARTICULAR, "who came earlier may use what is newer"
        assert cache.find(b"a", 4) is None
        assert cache.find(b"a", 3) is None

    def test_what_was_loaded_before_a_change_is_not_kept(self) -> None:
        cache = SessionCache()
        assert cache.find(b"a", 3) is None
        assert cache.find(b"b", 4) is None
        cache.keep(b"a", 3, NOBODY_IN_PARTICULAR)
        assert cache.find(b"a", 4) is None

    def test_expired(self) -> None:
        cache = SessionCache()
        cache.find(b"a", 1)
        cache.keep(b"a", 1, Session(Principal(1, "p", "service"), expires_at=1.0))
        assert cache.find(b"a", 1) is None

    def test_bounded(self) -> None:
        cache = SessionCache(most=2)
        cache.find(b"", 1)
        for digest in (b"a", b"b"):
            cache.keep(digest, 1, NOBODY_IN_PARTICULAR)
        assert cache.find(b"a", 1) is not None
        cache.keep(b"c", 1, NOBODY_IN_PARTICULAR)
        assert [cache.find(digest, 1) is None for digest in (b"a", b"b", b"c")] == [False, True, False]
