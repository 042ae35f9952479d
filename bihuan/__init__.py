"""Command line, configuration, composition, supervisor."""
