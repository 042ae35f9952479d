"""Marks of a hazard: what lists are narrowed to besides its state. A new mark is one line, and a column in SQL. Pure."""

from collections.abc import Callable

from hazards.ledger.hazard import Hazard
from hazards.ledger.lifecycle import Track

MARKS: dict[str, Callable[[Hazard], bool]] = {
    "repeated": lambda hazard: bool(hazard.repeat_of),  # 重复隐患
    "listed": lambda hazard: hazard.track(Track.LISTING) == "listed",  # 挂牌整改中
    "supervised": lambda hazard: hazard.track(Track.SUPERVISION) == "supervised",  # 挂牌督办中
    "extension_requested": lambda hazard: hazard.track(Track.EXTENSION) == "requested",  # 延期待签
    "summons_due": lambda hazard: hazard.track(Track.SUMMONS) == "due",  # 应约谈
}
