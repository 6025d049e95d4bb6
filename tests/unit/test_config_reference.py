"""Every setting is documented, and every one is read somewhere."""

import re
from pathlib import Path

from app.config import Settings
from app.config.options import options
from app.config.reference import reference

ROOT = Path(__file__).parents[2]


def test_the_reference_page_is_the_generated_one():
    assert (ROOT / "docs/configuration.md").read_text() == reference()


def test_every_setting_says_what_it_does():
    for option in options(Settings):
        assert option.help.endswith("."), option.key
        assert f"`{option.key}`" in reference()


def test_every_setting_is_read_outside_its_declaration():
    declared = ROOT / "app/config/settings.py"
    program = "\n".join(path.read_text() for path in (ROOT / "app").rglob("*.py") if path != declared)
    program += declared.read_text().partition("def parameters")[2]
    for option in options(Settings):
        name = option.key.rpartition(".")[2]
        assert re.search(rf"\.{name}\b", program), f"nothing reads {option.key}"
