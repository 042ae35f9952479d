"""Messages that were put aside: looking at them, sending them again. What must not go in: SQL, what is put aside."""

import base64

from fastapi import APIRouter
from structlog import get_logger

from api import dead_letter_models as models
from api.gate import GuardedRoute
from api.present import Presenter
from api.problems import responses
from api.routes.common import Asking, Cursor, Filter, Id, Limit, With, clamp
from hazards.errors import NotFound
from storage.dead_letter_queries import KeptLetter, list_letters, resend

router = APIRouter(route_class=GuardedRoute, tags=["dead letters"])
log = get_logger(__name__)

BEGINNING = 384
"""Bytes of a message that are shown."""


def _shown(letter: KeptLetter, presenter: Presenter) -> models.DeadLetter:
    return models.DeadLetter(
        id=letter.id, topic=letter.topic, reason=letter.reason, parked=letter.parked, at=presenter.time(letter.at),
        resent_at=presenter.time_or_none(letter.resent_at), size=len(letter.payload),
        beginning=base64.b64encode(letter.payload[:BEGINNING]).decode(),
    )  # fmt: skip


@router.get("/api/v1/dead-letters", summary="Messages that were put aside, newest first")
async def get_dead_letters(
    asking: Asking, services: With, topic: Filter = None, waiting: bool | None = None, cursor: Cursor = None, limit: Limit = 50
) -> models.DeadLetterPage:
    """``waiting``: only those that were not sent again since. They lie in no zone, so one who is bound sees none."""
    if not asking.scope.everything:
        return models.DeadLetterPage(items=[], next=None)
    found, following = await services.database.reading(
        lambda c: list_letters(c, topic=topic, waiting=waiting, cursor=cursor, limit=clamp(limit))
    )
    presenter = services.presenter()
    return models.DeadLetterPage(items=[_shown(letter, presenter) for letter in found], next=following)


@router.post("/api/v1/dead-letters/{id}/resend", summary="Send one again", responses=responses(409))
async def post_resend(letter_id: Id, asking: Asking, services: With) -> models.DeadLetter:
    """Through the journal: when this answers it is on disk. Its ids stay, so what had its effect already has no second one.

    409 for what this version can't read either, and for topics that nothing goes on from."""
    if not asking.scope.everything:
        raise NotFound("no such dead letter")
    letter = await resend(services.database, services.journal, letter_id, now=services.now())
    log.info("a dead letter is sent again", letter=letter.id, topic=letter.topic, by=asking.id)
    return _shown(letter, services.presenter())
