"""Logs: one line an event on standard error, with the part's name; secrets masked.

What must not go in: what is worth logging.
"""

import logging
import re
import sys
import time
from collections.abc import MutableMapping
from typing import Any

import structlog

SPARING_SECONDS = 10.0
_SECRET_NAME = re.compile(r"pass(word)?$|secret|token|authorization|cookie|csrf", re.IGNORECASE)
_SECRET_IN_TEXT = re.compile(r"(://[^:/@\s]+:)[^@/\s]+(@)|(?i:(bearer )[\w.~+/-]+=*)")


def mask(text: str) -> str:
    """``text`` with passwords in URLs and bearer tokens hidden."""
    return _SECRET_IN_TEXT.sub(lambda m: f"{m[1]}***{m[2]}" if m[1] else f"{m[3]}***", text)


def _mask_event(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for name, value in event.items():
        if _SECRET_NAME.search(name):
            event[name] = "***"
        elif isinstance(value, str):
            event[name] = mask(value)
    return event


def _one_line(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> str:
    """``TIME LEVEL part event key=value …``, line ends of texts escaped: one event is one line."""
    head = [str(event.pop("timestamp", "")), str(event.pop("level", "info")).upper().ljust(7), str(event.pop("part", "bihuan"))]
    trace = event.pop("exception", "")
    words = [str(event.pop("event", ""))] + [f"{k}={v!r}" if isinstance(v, str) and " " in v else f"{k}={v}" for k, v in event.items()]
    line = " ".join(head) + ": " + " ".join(words).replace("\r", "\\r").replace("\n", "\\n")
    return line + (" | " + mask(trace.strip()).replace("\n", " ⏎ ") if trace else "")


class _Sparing(logging.Filter):
    """A library's line at most once in ten seconds: some write many a second while a broker is away."""

    def __init__(self) -> None:
        super().__init__()
        self._last: dict[tuple[str, str], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether this line was not written just now. Lines are told apart by their text before it is filled in."""
        key, now = (record.name, str(record.msg)), time.monotonic()
        fresh = now - self._last.get(key, float("-inf")) >= SPARING_SECONDS
        if fresh:
            self._last[key] = now
        return fresh


def configure(part: str, level: str) -> None:
    """Set up structlog and the standard library's logging for this process."""
    number = getattr(logging, level.upper())
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="%Y-%m-%dT%H:%M:%S.%f%z", utc=False),
        _named(part),
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.format_exc_info, _mask_event, _one_line],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(_Sparing())
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                _mask_event,
                _one_line,
            ],
        )
    )
    logging.basicConfig(level=max(number, logging.WARNING), handlers=[handler], force=True)  # libraries: only when something is wrong


def _named(part: str) -> Any:
    def add(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        event.setdefault("part", part)
        return event

    return add
