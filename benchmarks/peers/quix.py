"""Quix Streams doing the same: one reading a message, JSON, stateful apply with a changelog, a threshold. Runs in ``.venv-peers``.

``python quix.py BROKERS TOPIC COUNT SECONDS FOLDER`` reads COUNT readings, or for SECONDS after the first.
What must not go in: imports of ours, which that environment does not have.
"""

import json
import os
import sys
import time
from typing import Any

from quixstreams import Application, State

HIGH, DEADBAND = 60.0, 2.0


class Threshold:
    """The step of the stream; ``seen`` readings since ``began``."""

    def __init__(self) -> None:
        self.seen, self.began, self.cpu = 0, 0.0, 0.0

    def step(self, reading: dict[str, Any], state: State) -> bool:
        """Whether the reading begins or ends an alarm; state per device."""
        if not self.seen:
            self.began, self.cpu = time.perf_counter(), time.process_time()
        above = state.get("above", False)
        hot = reading["value"] > (HIGH - DEADBAND if above else HIGH)
        state.set("above", hot)
        state.set("last", reading["value"])
        self.seen += 1
        return bool(hot != above)


def main() -> None:
    """Measure and print."""
    addresses, topic, count, seconds, folder = sys.argv[1:6]
    app = Application(
        broker_address=addresses, consumer_group="bench-quix", auto_offset_reset="earliest", state_dir=folder, loglevel="ERROR",
    )  # fmt: skip
    threshold = Threshold()

    def look(_: bool) -> None:
        took = time.perf_counter() - threshold.began
        if threshold.seen >= int(count) or took > float(seconds):
            cpu = time.process_time() - threshold.cpu
            print(json.dumps({"readings": threshold.seen, "seconds": took, "cpu": cpu}), flush=True)
            os._exit(0)  # its orderly end would be measured by nobody

    frame = app.dataframe(app.topic(topic, value_deserializer="json"))
    frame.apply(threshold.step, stateful=True).update(look)
    app.run()


if __name__ == "__main__":
    main()
