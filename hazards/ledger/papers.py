"""Photos and documents as evidence of the state after rectification (整改后): which count, and why others do not. Pure.

A paper shows "after" when it was taken after the rectification began. A file can't show what happened after it was first kept here,
whatever somebody says of it. What must not go in: checks of what was entered (``hazards/ledger/entries.py``), files.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum

from msgspec import Struct

from hazards.ledger.particulars import Paper, Stage

MINUTE = 60 * 1_000_000
"""People give times to the minute, so the whole minute in which the rectification began counts as after its beginning, µs."""


class PaperWhy(StrEnum):
    """Why a paper counts as evidence of "after", or does not."""

    COUNTS = "paper_counts"
    BEFORE = "paper_before"  # 整改前: it shows the state before, and says so itself
    TOO_EARLY = "paper_too_early"  # 早于整改: taken before the rectification began


class PaperEvidence(Struct, frozen=True, kw_only=True):
    """One paper, and whether it counts. ``where``: JSON pointer of the field that decides; ``kept_at``: first keeping of its file, µs."""

    where: str
    why: PaperWhy
    taken_at: int
    place: str
    sha256: str | None = None
    document: str = ""
    kept_at: int | None = None


def evidence_of(papers: Sequence[Paper], *, began: int, kept: Mapping[str, int]) -> list[PaperEvidence]:
    """Each of ``papers``. ``began``: when the rectification did; ``kept``: when files were first kept, by SHA-256 (µs)."""
    found, began = [], began - began % MINUTE
    for n, paper in enumerate(papers):
        kept_at = kept.get(paper.sha256) if paper.sha256 is not None else None
        field, why = "taken_at", PaperWhy.COUNTS
        if paper.stage is not Stage.AFTER:
            field, why = "stage", PaperWhy.BEFORE
        elif paper.taken_at < began:
            why = PaperWhy.TOO_EARLY
        elif kept_at is not None and kept_at < began:
            field, why = "sha256", PaperWhy.TOO_EARLY
        found.append(PaperEvidence(where=f"/evidence/{n}/{field}", why=why, taken_at=paper.taken_at, place=paper.place, sha256=paper.sha256,
                                   document=paper.document, kept_at=kept_at))  # fmt: skip
    return found
