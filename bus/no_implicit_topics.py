"""No client of this process makes topics by asking for them.

aiokafka always allows it (``allow_auto_topic_creation``), and a broker then makes the topic with a partition count of its
own: after a broker lost everything, whoever reconnects first would decide the count. What must not go in: anything else.
"""

from functools import partial

import aiokafka.admin.client
import aiokafka.client
from aiokafka.protocol.metadata import MetadataRequest


def forbid_implicit_topics() -> None:
    """From now on every metadata request of this process says that a missing topic stays missing. Harmless when repeated."""
    asking = partial(MetadataRequest, allow_auto_topic_creation=False)
    aiokafka.client.MetadataRequest = asking
    aiokafka.admin.client.MetadataRequest = asking
