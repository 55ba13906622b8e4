"""What must be true of every history. Each checker is a function from a History to a list of Violations."""
