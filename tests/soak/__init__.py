"""``make soak``: two nodes behind nginx under load for a quarter of an hour, and every half minute something breaks."""
