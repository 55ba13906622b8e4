"""Broken variants of Usher that the checkers must catch."""
