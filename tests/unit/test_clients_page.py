"""docs/clients.md is the configuration that the tests run."""

import re

from tests.clients.page import PAGE, blocks


def test_every_client_of_the_page_is_tested() -> None:
    sources = "".join(path.read_text() for path in (PAGE.parents[1] / "tests" / "clients").glob("*.py"))
    for name in blocks():
        client = name.removesuffix("-s3").removesuffix("-vended")
        assert f'"{client}"' in sources or f'"{name}"' in sources, name


def test_every_section_of_the_table_is_there() -> None:
    text = PAGE.read_text()
    linked = set(re.findall(r"\]\(#([\w-]+)\)", text))
    sections = {
        title.lower().replace(" ", "-").replace(".", "") for title in re.findall(r"^## (.*)$", text, re.M)
    }
    assert linked <= sections
    assert len(linked) >= 4
