"""What a request's header and query say about how its client comes to the files."""

import pytest
from flask import Flask

from app.api.delegation import requested_delegation
from app.api.references import split_chain


@pytest.mark.parametrize(
    ("sent", "understood"),
    [
        (None, ()),
        ("", ()),
        ("vended-credentials", ("vended-credentials",)),
        (" Remote-Signing ,VENDED-CREDENTIALS", ("remote-signing", "vended-credentials")),
        ("remote-signing,other,remote-signing", ("remote-signing",)),
    ],
)
def test_delegation(sent: str | None, understood: tuple[str, ...]) -> None:
    headers = {} if sent is None else {"X-Iceberg-Access-Delegation": sent}
    with Flask(__name__).test_request_context("/", headers=headers):
        assert requested_delegation() == understood


@pytest.mark.parametrize(
    ("query", "views"),
    [
        ("", []),
        ("referenced-by=", []),
        ("referenced-by=prod%1Fv", [("prod", "v")]),
        ("referenced-by=a%1Fb%1Fv,a%1Fw&x=y", [("a", "b", "v"), ("a", "w")]),
        ("referenced-by=a%1Fone%2Ctwo", [("a", "one,two")]),
        ("referenced-by=a%1Fone%2Ctwo,b%1Fw", [("a", "one,two"), ("b", "w")]),
        ("referenced-by=a%1Fv%2Cb%1Fw", [("a", "v"), ("b", "w")]),
        ("referenced-by=a%251Fv%2Cb%251Fone%252Ctwo", [("a", "v"), ("b", "one,two")]),
        ("referenced-by=a+b%1Fv%2Bw", [("a b", "v+w")]),
        ("referenced-by=a%1Fv&referenced-by=b%1Fw", [("a", "v"), ("b", "w")]),
    ],
)
def test_chain_of_views(query: str, views: list[tuple[str, ...]]) -> None:
    assert [tuple(levels) for levels in split_chain(query)] == views
