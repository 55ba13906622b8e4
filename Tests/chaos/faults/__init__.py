"""The faults: each a named value with what it needs, how it is injected and how it is healed."""
