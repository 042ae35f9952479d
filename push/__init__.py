"""Delivery of notices to people. Empty until the notices topic has a sender."""
