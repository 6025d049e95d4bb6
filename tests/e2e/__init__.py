"""The whole service under faults and load."""
