"""Measurements of a running system, behind ``bihuan bench NAME`` (``benchmarks.benches``), and the load they make, which tests use too."""
