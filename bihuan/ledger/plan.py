"""From the configuration to what the anchors' job needs. What must not go in: the job."""

from bihuan.configuration import Settings
from bihuan.ledger.anchoring import AnchorPlan
from bihuan.ledger.mail import read_address


def anchor_plan(settings: Settings) -> AnchorPlan:
    """The plan that was configured. Raises Misconfigured for a mail server that is none."""
    recipients = [address.strip() for address in settings.anchor_email.split(",") if address.strip()]
    return AnchorPlan(
        key=settings.anchor_key_path, folder=settings.anchor_folder, recipients=recipients,
        server=read_address(settings.anchor_smtp) if recipients else None,
    )  # fmt: skip
