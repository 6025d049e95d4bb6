"""``python -m tests.soak``, which is what ``make soak`` runs."""

import argparse
import secrets
import sys
import time
from collections.abc import Sequence

from tests.soak.faults import FAULTS
from tests.soak.run import Plan, Soak
from tests.soak.site import running_site


def main(arguments: Sequence[str] | None = None) -> None:
    """Soak, and end with 1 when something is wrong."""
    plan = parse(arguments)
    say(f"{plan.seconds:g} s of load, a fault every {plan.interval:g} s, seed {plan.seed}")
    with running_site() as site:
        Soak(site, plan, say).run()
    say("nothing lost, half done, doubled, stale, missing or left over")


def parse(arguments: Sequence[str] | None) -> Plan:
    parser = argparse.ArgumentParser(prog="soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=15.0, help="of load (default 15)")
    parser.add_argument("--interval", type=float, default=30.0, help="seconds between faults (default 30)")
    parser.add_argument("--faults", nargs="+", choices=FAULTS, default=list(FAULTS), help="only these")
    parser.add_argument("--seed", type=int, default=secrets.randbits(32), help="of the choice of faults")
    options = parser.parse_args(arguments)
    return Plan(options.minutes * 60, options.interval, options.faults, options.seed)


def say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
