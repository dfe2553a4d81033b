"""Workers end with the process that they work for, however it ended.

Otherwise they would write on into a study that is free for the next run by then: under the same
names, and with other settings.
"""

import functools
import os
import threading
import time
from collections.abc import Callable
from typing import Any

EVERY_SECONDS = 0.2


def ending_with(parent: int, work: Callable, *arguments: Any) -> Any:
    """Do a piece of work, as process ``parent`` or as a child of it that ends with it.

    Where the system gives orphans no new parent (Windows), they stay.

    Examples
    --------
    >>> ending_with(os.getpid(), max, 1, 2)
    2
    """
    if os.getpid() != parent:
        _watch(parent)
    return work(*arguments)


@functools.cache
def _watch(parent: int) -> None:
    threading.Thread(target=_end_without, args=(parent,), daemon=True).start()


def _end_without(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(EVERY_SECONDS)
    os._exit(1)
