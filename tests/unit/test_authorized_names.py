"""Names stay bound to the ids that they had when somebody asked whether the caller may."""

import pytest

from app.auth.names import ANY, UNCHECKED, AuthorizedNames, MeaningChanged
from app.auth.objects import ObjectName
from app.errors import BadRequestException, InternalServerError
from app.identifiers import Namespace, TableIdentifier

SPACE = Namespace(["a", "b"])
TABLE = TableIdentifier(SPACE, "t")


def test_same_id_is_confirmed_and_another_one_is_not() -> None:
    names = AuthorizedNames()
    names.bind("table", TABLE, 7)
    names.confirm("table", TABLE, 7)
    with pytest.raises(MeaningChanged, match=r"Table a\.b\.t was renamed or replaced"):
        names.confirm("table", TABLE, 8)
    with pytest.raises(MeaningChanged):
        names.confirm_if_asked("table", TABLE, None)


def test_what_came_under_a_free_name_is_not_confirmed() -> None:
    names = AuthorizedNames()
    names.bind("table", TABLE, None)
    names.confirm("table", TABLE, None)
    with pytest.raises(MeaningChanged):
        names.confirm("table", TABLE, 7)


def test_what_nobody_asked_about_is_a_fault() -> None:
    names = AuthorizedNames()
    with pytest.raises(InternalServerError, match=r"Nobody has authorized access to namespace a\.b"):
        names.confirm("namespace", SPACE, 1)
    names.confirm_if_asked("namespace", SPACE, 1)
    names.bind("table", SPACE, 1)
    with pytest.raises(InternalServerError):
        names.confirm("namespace", SPACE, 1)


def test_rights_on_the_whole_warehouse_do_not_depend_on_ids() -> None:
    names = AuthorizedNames()
    names.bind("table", TABLE, ANY)
    names.confirm("table", TABLE, 7)
    names.bind("table", TABLE, 7)
    names.bind("table", TABLE, ANY)
    with pytest.raises(MeaningChanged):
        names.confirm("table", TABLE, 8)


def test_a_name_cannot_mean_two_things_in_one_request() -> None:
    names = AuthorizedNames()
    names.bind("table", TABLE, 7)
    with pytest.raises(MeaningChanged):
        names.bind("table", TABLE, 8)
    names.forget()
    names.bind("table", TABLE, 8)


def test_without_authentication_nothing_is_asked() -> None:
    UNCHECKED.confirm("table", TABLE, 7)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("server", ObjectName("server")),
        ("warehouse:w", ObjectName("warehouse", "w")),
        ("namespace:w/a%1Fb", ObjectName("namespace", "w", SPACE)),
        ("table:w/a%1Fb/t", ObjectName("table", "w", SPACE, "t")),
        ("view:w/a%2F%1F%3A%2B/v%20%25", ObjectName("view", "w", Namespace(["a/", ":+"]), "v %")),
    ],
)
def test_names_of_objects(text: str, name: ObjectName) -> None:
    assert ObjectName.parse(text, "object") == name
    assert name.address == text


@pytest.mark.parametrize(
    "text", ["", "table", "server:x", "warehouse:", "table:w/a", "table:w//t", "namespace:w/a/t", "job:1"]
)
def test_what_is_no_name_of_an_object(text: str) -> None:
    with pytest.raises(BadRequestException, match=r"Invalid object .*: expected server, warehouse:W,"):
        ObjectName.parse(text, "object")
