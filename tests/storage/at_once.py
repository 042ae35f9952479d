"""Things that are done at the same time. No tests here."""

import threading
from collections.abc import Callable
from typing import TypeVar

from hazards.errors import BihuanError

T = TypeVar("T")


def at_once(*works: Callable[[], T]) -> list[T | BihuanError]:
    """Every one of ``works`` on a thread of its own, let go together; what each gave or was refused with, in their order."""
    found: list[T | BihuanError | None] = [None] * len(works)
    accidents: list[BaseException] = []
    start = threading.Barrier(len(works))

    def run(n: int) -> None:
        start.wait()
        try:
            found[n] = works[n]()
        except BihuanError as error:
            found[n] = error
        except BaseException as error:  # an accident belongs to the test, not to a thread that nobody asks
            accidents.append(error)

    threads = [threading.Thread(target=run, args=(n,)) for n in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if accidents:
        raise accidents[0]
    return found  # type: ignore[return-value]
