"""The soak's own code, for as long as a test may take: each kind of part dies once under load."""

from tests.soak.run import Plan, Soak
from tests.soak.site import running_site

FAULTS = ("worker_killed", "node_killed", "database_killed")


def test_a_short_soak() -> None:
    said: list[str] = []
    with running_site() as site:
        Soak(site, Plan(seconds=12, interval=4, faults=FAULTS, seed=1), said.append).run()
    assert [fault for fault in FAULTS if any(fault in line for line in said)] == list(FAULTS)
