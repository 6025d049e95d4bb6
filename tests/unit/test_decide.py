"""May somebody do that: the rules alone."""

import pytest

from app.auth.decide import Need, Place, Policy, Verdict, held, judge, reach
from app.auth.privileges import ALL, NONE, READING, WRITING, Privilege, Privileges, privileges_of

ALICE, BOB = 1, 2
LOAD = Need((Privilege.READ_METADATA,), "table")
COMMIT = Need((Privilege.WRITE_DATA, Privilege.MANAGE_PROPERTIES), "table")
SEE = Need((), "table")


def granted(*names: str) -> Privileges:
    return privileges_of(names)


def path(*privileges: Privileges, owners: tuple[int | None, ...] = ()) -> list[Place]:
    padded = [*owners, *[None] * (len(privileges) - len(owners))]
    return [
        Place("namespace", number, owner, each)
        for number, (each, owner) in enumerate(zip(privileges, padded, strict=True))
    ]


def test_rights_add_up_on_the_way_down() -> None:
    way = path(granted("list"), NONE, granted("drop"))
    assert held(ALICE, way, granted("vend")) == granted("list", "drop", "vend")
    assert held(ALICE, way[:1]) == granted("list")
    assert held(ALICE, []) == NONE


def test_who_administers_may_do_all() -> None:
    assert held(ALICE, path(granted("administer"), NONE)) == ALL
    assert held(ALICE, [], granted("administer")) == ALL


def test_owner_administers_what_is_below() -> None:
    way = path(NONE, NONE, NONE, owners=(None, ALICE))
    assert held(ALICE, way) == ALL
    assert held(BOB, way) == NONE
    assert held(ALICE, way[:1]) == NONE


def test_nobody_owns_what_has_no_owner() -> None:
    assert held(None, path(NONE, owners=(None,))) == NONE


@pytest.mark.parametrize(
    ("need", "privileges", "within", "seen", "verdict"),
    [
        (LOAD, NONE, ALL, False, Verdict.HIDDEN),
        (LOAD, NONE, ALL, True, Verdict.FORBIDDEN),
        (LOAD, granted("list"), ALL, False, Verdict.FORBIDDEN),
        (LOAD, granted("read-metadata"), ALL, False, Verdict.ALLOWED),
        (LOAD, ALL, granted("list"), False, Verdict.NARROWED),
        (LOAD, NONE, NONE, False, Verdict.HIDDEN),
        (COMMIT, granted("manage-properties"), ALL, False, Verdict.ALLOWED),
        (COMMIT, granted("write-data"), ALL, False, Verdict.ALLOWED),
        (COMMIT, granted("write-data"), granted("manage-properties"), False, Verdict.NARROWED),
        (SEE, granted("drop"), ALL, False, Verdict.ALLOWED),
        (SEE, NONE, ALL, True, Verdict.ALLOWED),
        (SEE, NONE, ALL, False, Verdict.HIDDEN),
        (SEE, ALL, NONE, False, Verdict.NARROWED),
    ],
)
def test_verdicts(
    need: Need, privileges: Privileges, within: Privileges, seen: bool, verdict: Verdict
) -> None:
    assert judge(need, privileges, within, is_visible=seen) is verdict


@pytest.mark.parametrize(
    ("scopes", "reached"),
    [
        ((), ALL),
        (("catalog",), ALL),
        (("catalog", "read"), ALL),
        (("read",), READING),
        (("write",), WRITING),
        (("manage",), ALL),
        (("read", "sign"), READING),
        (("sign",), NONE),
        (("PRINCIPAL_ROLE:ALL",), NONE),
    ],
)
def test_how_far_scopes_reach(scopes: tuple[str, ...], reached: Privileges) -> None:
    assert reach(frozenset(scopes)) == reached


def test_scope_sign_is_for_signing_only() -> None:
    signing = granted("vend", "read-data", "write-data")
    assert reach(frozenset({"sign"}), is_signing=True) == signing
    assert reach(frozenset({"sign", "read"}), is_signing=True) == signing | READING


@pytest.mark.parametrize(
    ("policy", "granting", "implied"),
    [
        (Policy(), ("manage",), NONE),
        (Policy(is_open=True), (), ALL),
        (Policy(by_default=READING), (), READING),
        (Policy(scopes_grant=True), ("write",), WRITING),
        (Policy(scopes_grant=True), ("manage",), ALL),
        (Policy(scopes_grant=True), ("catalog", "sign"), NONE),
        (Policy(by_default=READING, scopes_grant=True), ("write",), WRITING),
    ],
)
def test_what_settings_imply(policy: Policy, granting: tuple[str, ...], implied: Privileges) -> None:
    assert policy.implied(granting) == implied
