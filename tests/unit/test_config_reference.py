"""Every setting is documented."""

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
