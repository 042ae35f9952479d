"""Routes by subject. Each module has a ``router``; its rights are rows of ``api/roles.py``."""
