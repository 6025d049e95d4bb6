"""A namespace and all below it are one stretch of the order in which PostgreSQL keeps levels."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.identifiers import Namespace

NAMES = st.text(
    st.characters(min_codepoint=0x20, exclude_characters="\x7f", exclude_categories=["Cs"]), min_size=1
)
NAMESPACES = st.lists(NAMES, min_size=1, max_size=4).map(Namespace)


def order(namespace: Namespace) -> list[bytes]:
    """What arrays of texts are compared by under the collation C."""
    return [level.encode() for level in namespace]


@given(NAMESPACES, NAMESPACES)
def test_the_stretch_holds_the_descendants_and_nothing_else(root: Namespace, other: Namespace) -> None:
    inside = order(root) <= order(other) < order(root.beyond)
    assert inside == other.is_within(root)


@given(NAMESPACES, st.lists(NAMES, max_size=3))
def test_descendants_are_inside(root: Namespace, below: list[str]) -> None:
    other = Namespace([*root, *below])
    assert order(root) <= order(other) < order(root.beyond)
    assert other.is_within(root)


@pytest.mark.parametrize("sibling", ["a ", "a!", "aa", "a.b", "a\N{SNOWMAN}", "b", "A", "\U0010ffff"])
def test_siblings_are_outside(sibling: str) -> None:
    root = Namespace(["x", "a"])
    assert not order(root) <= order(Namespace(["x", sibling])) < order(root.beyond)
