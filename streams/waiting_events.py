"""What waits of a stream, taken together: one turn of the event loop for all of it, where Faust takes one for each message.

What must not go in: what is done with events.
"""

from collections.abc import AsyncIterator
from typing import cast

from faust.streams import Stream
from faust.types import ChannelT, EventT

AT_ONCE = 100
"""Events of one list at most: they wait in memory beside the queue that they came from."""


async def waiting_events(stream: Stream[bytes]) -> AsyncIterator[list[EventT[bytes]]]:
    """Events of ``stream`` in order, never none at a time; whoever takes them acknowledges them.

    The first of each list came by Faust's own way, which waits and raises what stops the stream. Events of an earlier generation may be
    among the others: their partitions may be somebody else's now."""
    queue = cast(ChannelT[bytes], stream.channel).queue
    async for event in stream.noack().events():
        taken = [event]
        while len(taken) < AT_ONCE and not queue.empty():
            taken.append(queue.get_nowait())
        yield taken
