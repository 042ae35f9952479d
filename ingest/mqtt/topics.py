"""Topic templates: ``park/{zone}/{device}/{metric}`` as the filter to subscribe with, and what a topic says. Sans-I/O.

Matching follows MQTT 5, section 4.7. What must not go in: payloads, the client.
"""

import re

PLACEHOLDERS = ("device", "metric", "zone")
"""What a topic can say. ``zone`` is only passed over: where a device stands is the site file's to say."""
LONGEST = 1024
"""Characters of a template; MQTT allows 65,535 bytes."""

_LEVEL = re.compile(r"([^{}+#]*)\{([a-z]+)\}([^{}+#]*)")


class TopicTemplate:
    """One template. ``filter`` is what to subscribe to; ``names`` are the placeholders in it.

    A placeholder stands in a level of its own or between fixed characters of it; ``+`` passes one level over, ``#`` at the end all that
    follow. Raises ValueError with the reason."""

    def __init__(self, text: str) -> None:
        if not text or len(text) > LONGEST or "\0" in text:
            raise ValueError(f"1 to {LONGEST} characters are expected")
        if text.startswith("$share/"):
            raise ValueError("a shared subscription has no session of its own to keep messages for us")
        self.text = text
        self.names: list[str] = []
        levels = text.split("/")
        filters, patterns = [], []
        for n, level in enumerate(levels):
            if level == "#" and n == len(levels) - 1:
                filters.append("#")
                break
            spoken, pattern = self._level(level)
            filters.append(spoken)
            patterns.append(pattern)
        self.filter = "/".join(filters)
        rest = "" if filters[-1] != "#" else "(?:/.*)?" if patterns else ".*"
        guard = r"(?!\$)" if filters[0] in ("+", "#") else ""  # section 4.7.2: wildcards leave $SYS and its like alone
        self._pattern = re.compile(guard + "/".join(patterns) + rest, re.DOTALL)

    def _level(self, level: str) -> tuple[str, str]:
        """(the level of the filter, its pattern)."""
        if level == "+":
            return "+", "[^/]*"
        found = _LEVEL.fullmatch(level)
        if found is None:
            if any(c in level for c in "{}+#"):
                raise ValueError(f"{level!r} is no level: a word, {{device}}, {{metric}}, {{zone}}, + alone, or # alone at the end")
            return level, re.escape(level)
        before, name, after = found.groups()
        if name not in PLACEHOLDERS:
            raise ValueError(f"there is no placeholder {{{name}}}, only " + ", ".join(f"{{{p}}}" for p in PLACEHOLDERS))
        if name in self.names:
            raise ValueError(f"{{{name}}} stands in it twice")
        self.names.append(name)
        return "+", f"{re.escape(before)}(?P<{name}>[^/]+){re.escape(after)}"

    def match(self, topic: str) -> dict[str, str] | None:
        """What ``topic`` says for each placeholder, or None when it is of another form."""
        found = self._pattern.fullmatch(topic)
        return found.groupdict() if found else None
