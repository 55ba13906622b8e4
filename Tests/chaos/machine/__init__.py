"""The cluster of real processes, its clients, and one run of it."""
