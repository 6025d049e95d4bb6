"""``python -m tests.benchmark``, which is what ``make bench`` runs."""

from tests.benchmark.bench import main

main()
