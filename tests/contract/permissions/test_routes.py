"""The table has every operation that there is."""

from tests.contract.permissions.asked import OPERATIONS
from tests.contract.permissions.conftest import TABLE
from tests.contract.test_forged_credentials import OPEN
from tests.support.own_document import own_document


def operation_ids() -> set[str]:
    """The operations that ask who is there."""
    return {
        operation["operationId"]
        for path, item in own_document()["paths"].items()
        for method, operation in item.items()
        if method != "parameters" and f"{method.upper()} {path}" not in OPEN
    }


def test_every_operation_has_a_row() -> None:
    asked = {cell.operation.partition(":")[0] for cell in TABLE.cells}
    assert operation_ids() - asked == set()
    assert asked - operation_ids() == set()


def test_every_request_is_used() -> None:
    assert set(OPERATIONS) == {cell.operation for cell in TABLE.cells}


def test_the_table_is_as_large_as_it_says() -> None:
    refused = [cell for cell in TABLE.cells if cell.expected != "+"]
    assert len(TABLE.cells) > 5_000
    assert len(refused) > 3_000
