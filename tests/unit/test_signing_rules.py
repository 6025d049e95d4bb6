"""What is approved for signing names objects below the location, whatever was asked; addresses of AWS."""

from contextlib import suppress
from urllib.parse import quote, unquote, urlsplit
from xml.etree.ElementTree import Element, SubElement, tostring

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.errors import ForbiddenException
from app.storage.locations import Location
from app.storage.s3_addresses import Store, is_aws, parse_address
from app.storage.signing import Approved, Asked, approve, object_of

PLACE = Location("s3", "lake", "ns/t")
CUSTOM = Store("http://store.example.com:9000", "eu-west-1", path_style=True, is_bounded=True)
BOTH_STYLES = CUSTOM._replace(path_style=False)
AWS = Store("", "eu-west-1", path_style=False, is_bounded=True)
EAST = AWS._replace(region="us-east-1")
CHINA = AWS._replace(region="cn-north-1")
HOST = "store.example.com:9000"


def approved(uri: str, method: str = "GET", store: Store = CUSTOM, **more: object) -> Approved:
    asked = Asked(method, uri, store.region, **{"headers": {}, **more})  # type: ignore[arg-type]
    return approve(asked, store, PLACE)


def bucket_and_key(made: Approved, store: Store) -> tuple[str, str]:
    """Read a signed URI as a store does: by its host, decoding the path once."""
    parts = urlsplit(made.uri)
    path = unquote(parts.path, errors="strict").removeprefix("/")
    bucket, dot, _ = parts.netloc.partition(".store.example.com")
    if store is BOTH_STYLES and dot:
        return bucket, path
    first, _, rest = path.partition("/")
    return first, rest


# Pieces that forgers put together.
PIECES = st.sampled_from(
    [
        "lake",
        "ns",
        "t",
        "t2",
        "ns/t",
        "x",
        "/",
        "//",
        ".",
        "..",
        "%2e",
        "%2E%2e",
        "%2f",
        "%5c",
        "\\",
        "%252e",
        "%25",
        "%00",
        "?",
        "&",
        "=",
        "#",
        "@",
        ";",
        "prefix=",
        "list-type=2",
        "ns%2Ft%2F",
        "+",
        "%20",
        "ü",
        "%C3%BC",
        ":",
        "*",
    ]
)
TAILS = st.lists(PIECES, max_size=10).map("".join)
ORIGINS = st.sampled_from(
    [f"http://{HOST}/lake/ns/t/", f"http://{HOST}/", f"http://lake.{HOST}/ns/t/", "http://"]
)
METHODS = st.sampled_from(["GET", "HEAD", "PUT", "POST", "DELETE"])


@given(origin=ORIGINS, tail=TAILS, method=METHODS, store=st.sampled_from([CUSTOM, BOTH_STYLES]))
@example(origin="http://", tail=f"lake.{HOST}/ns/t/x", method="GET", store=BOTH_STYLES)
@example(origin=f"http://{HOST}/", tail="lake?list-type=2&prefix=ns%2Ft%2F", method="GET", store=CUSTOM)
def test_whatever_is_signed_names_what_is_inside(origin: str, tail: str, method: str, store: Store) -> None:
    try:
        made = approved(origin + tail, method, store)
    except ForbiddenException:
        return
    bucket, key = bucket_and_key(made, store)
    assert bucket == "lake"
    if made.operation.of_bucket:
        pairs = [pair.split("=") for pair in urlsplit(made.uri).query.split("&")]
        key = unquote(dict(pairs)["prefix"])
        assert [name for name, _ in pairs].count("prefix") == 1
        assert key.startswith("ns/t/")
    else:
        assert key.startswith("ns/t/")
        assert len(key) > len("ns/t/")
    assert not {".", ".."} & set(key.split("/"))
    assert "\\" not in key
    assert "\0" not in key


KEYS = st.text(
    st.characters(blacklist_categories=["Cs", "Cc"], blacklist_characters="\\"), min_size=1, max_size=40
)


def is_plain(key: str) -> bool:
    """Whether no reader could take the key for another one."""
    decoded = unquote(key)
    parts = key.split("/") + decoded.split("/")
    return all(key.split("/")) and decoded == unquote(decoded) and not {".", ".."} & set(parts)


@given(key=KEYS.filter(is_plain), method=st.sampled_from(["GET", "HEAD", "PUT", "DELETE"]))
def test_every_plain_key_inside_is_signed_as_it_is(key: str, method: str) -> None:
    made = approved(f"http://{HOST}/lake/ns/t/{quote(key)}", method)
    assert bucket_and_key(made, CUSTOM) == ("lake", f"ns/t/{key}")
    assert made.uri == f"http://{HOST}/lake/ns/t/{quote(key, safe='/-._~')}"


@given(
    keys=st.lists(
        st.sampled_from(["ns/t/a", "ns/t/b<&>\"'", "ns/t2/a", "ns/t", "ns/t/../x", "/ns/t/a", "x"]),
        min_size=1,
    )
)
def test_body_is_signed_when_all_its_keys_are_inside(keys: list[str]) -> None:
    root = Element("Delete")
    for key in keys:
        SubElement(SubElement(root, "Object"), "Key").text = key
    body = tostring(root, encoding="unicode")
    inside = all(key.startswith("ns/t/") and ".." not in key for key in keys)
    try:
        approved(f"http://{HOST}/lake?delete", "POST", body=body)
    except ForbiddenException:
        assert not inside
    else:
        assert inside


@given(prefix=st.lists(st.sampled_from(["ns", "t", "t2", "/", "..", ".", "x"]), max_size=8).map("".join))
def test_listing_shows_what_is_inside(prefix: str) -> None:
    uri = f"http://{HOST}/lake?list-type=2&prefix={quote(prefix, safe='')}"
    try:
        approved(uri)
    except ForbiddenException:
        return
    assert prefix.startswith("ns/t/")


@pytest.mark.parametrize(
    ("store", "uri"),
    [
        (CUSTOM, f"http://{HOST}/lake/k"),
        (BOTH_STYLES, f"http://{HOST}/lake/k"),
        (BOTH_STYLES, f"http://lake.{HOST}/k"),
        (CUSTOM._replace(endpoint="https://store.example.com:443"), "https://store.example.com/lake/k"),
        (CUSTOM._replace(endpoint="http://[::1]:9000"), "http://[::1]:9000/lake/k"),
        (AWS, "https://s3.eu-west-1.amazonaws.com/lake/k"),
        (AWS, "https://lake.s3.eu-west-1.amazonaws.com/k"),
        (AWS, "https://s3-eu-west-1.amazonaws.com/lake/k"),
        (AWS, "https://lake.s3.dualstack.eu-west-1.amazonaws.com/k"),
        (AWS, "https://s3.dualstack.eu-west-1.amazonaws.com/lake/k"),
        (EAST, "https://lake.s3.amazonaws.com/k"),
        (EAST, "https://s3.amazonaws.com/lake/k"),
        (CHINA, "https://lake.s3.cn-north-1.amazonaws.com.cn/k"),
    ],
)
def test_address_of_a_store(store: Store, uri: str) -> None:
    address = parse_address(uri, store)
    assert (address.bucket, address.key) == ("lake", "k")
    assert address.uri() == uri


@pytest.mark.parametrize(
    ("store", "uri"),
    [
        # A store that looks at paths only would take ns for the bucket.
        (CUSTOM, f"http://lake.{HOST}/ns/t/x"),
        (BOTH_STYLES._replace(endpoint="http://127.0.0.1:9000"), "http://lake.127.0.0.1:9000/ns/t/x"),
        (BOTH_STYLES._replace(endpoint="http://[::1]:9000"), "http://lake.[::1]:9000/ns/t/x"),
        (BOTH_STYLES, f"http://lake..{HOST}/ns/t/x"),
        (BOTH_STYLES, f"http://a.b_c.{HOST}/ns/t/x"),
        (BOTH_STYLES, f"http://.{HOST}/ns/t/x"),
        (BOTH_STYLES, f"http://lake.{HOST}.{HOST}/ns/t/x"),
        (AWS, "http://lake.s3.eu-west-1.amazonaws.com/ns/t/x"),
        (AWS, "https://lake.s3.eu-west-1.amazonaws.com:443/ns/t/x"),
        (AWS, "https://lake.s3.eu-west-1.amazonaws.com.evil.example.com/ns/t/x"),
        (AWS, "https://lake.s3.eu-west-2.amazonaws.com/ns/t/x"),
        (AWS, "https://s3.amazonaws.com/lake/ns/t/x"),
        (AWS, "https://lake.s3-accelerate.amazonaws.com/ns/t/x"),
        (AWS, "https://lake.s3-website-eu-west-1.amazonaws.com/ns/t/x"),
        (AWS, "https://point-1.s3-accesspoint.eu-west-1.amazonaws.com/ns/t/x"),
        (AWS, "https://LAKE.s3.eu-west-1.amazonaws.com/ns/t/x"),
        (EAST, "https://lake.s3.eu-west-1.amazonaws.com/ns/t/x"),
    ],
)
def test_host_of_another_place_is_refused(store: Store, uri: str) -> None:
    with pytest.raises(ForbiddenException, match="Refused to sign the request: uri: "):
        approve(Asked("GET", uri, store.region, {}), store, PLACE)


ANYTHING = st.text(max_size=30)


@given(
    method=METHODS | ANYTHING,
    uri=ANYTHING | TAILS.map(f"http://{HOST}/lake/".__add__),
    region=ANYTHING | st.just("eu-west-1"),
    headers=st.dictionaries(
        ANYTHING
        | st.sampled_from(["Host", "host", "x-amz-copy-source", "x-amz-content-sha256", "Content-MD5"]),
        st.lists(ANYTHING, max_size=3),
        max_size=3,
    ),
    body=st.none() | ANYTHING | ANYTHING.map("<Delete><Object><Key>ns/t/{}</Key></Object></Delete>".format),
)
def test_nothing_but_a_refusal_or_a_signature(
    method: str, uri: str, region: str, headers: dict[str, list[str]], body: str | None
) -> None:
    asked = Asked(method, uri, region, headers, body)
    for call in (lambda: approve(asked, CUSTOM, PLACE), lambda: object_of(asked, CUSTOM)):
        with suppress(ForbiddenException):
            call()


@pytest.mark.parametrize(
    ("endpoint", "expected"),
    [
        ("", True),
        ("https://s3.eu-west-1.amazonaws.com", True),
        ("https://s3.cn-north-1.amazonaws.com.cn", True),
        ("https://amazonaws.com.example.com", False),
        ("https://notamazonaws.com", False),
        ("http://127.0.0.1:9000", False),
    ],
)
def test_endpoint_of_aws(endpoint: str, expected: bool) -> None:
    assert is_aws(endpoint) is expected


def test_whole_bucket_is_no_location() -> None:
    with pytest.raises(ForbiddenException, match="outside the table's location"):
        approve(Asked("GET", f"http://{HOST}/lake/x", "eu-west-1", {}), CUSTOM, Location("s3", "lake", ""))


def test_where_a_request_goes() -> None:
    body = "<Delete><Object><Key>ns/t/a</Key></Object></Delete>"
    for uri, more, expected in (
        (f"http://{HOST}/lake/ns/t/x", None, "ns/t/x"),
        (f"http://{HOST}/lake?list-type=2&prefix=ns/t/", None, "ns/t"),
        (f"http://{HOST}/lake?delete", body, "ns/t/a"),
    ):
        assert object_of(Asked("POST", uri, "eu-west-1", {}, more), CUSTOM) == Location(
            "s3", "lake", expected
        )
    with pytest.raises(ForbiddenException):
        object_of(Asked("GET", f"http://{HOST}/lake", "eu-west-1", {}), CUSTOM)
