"""The packs that come with the program, as tests use them."""

from bihuan.policy_file import shipped

POLICY = shipped("guangyuan")
