"""Composition roots: each module is one process, put together from the packages. No logic of the domain belongs here."""
