"""Tests mirror the packages; parts that are real programs are started by `tests/real`."""
