"""The packs that come with the program, as tests use them."""

from bihuan.policy_file import shipped, shipped_versions

POLICY, SHANXI = shipped("guangyuan"), shipped("shanxi")

PACKS = len(shipped_versions())
"""How many there are: each has an entry of its own on a fresh record."""

RECORDED = PACKS + len(POLICY.alarm_rules)
"""Entries on a fresh record, each the first of its subject: the packs, and the alarm rules of the one that is in force."""
