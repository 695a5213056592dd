"""One run at a time in one project."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from evidence.errors import LockedError


@contextlib.contextmanager
def run_lock(path: Path) -> Iterator[None]:
    """Hold the project's lock while a batch runs.

    The lock is the operating system's (``flock``): it goes with the process, however that ends,
    so no stale lock can be left behind.

    Parameters
    ----------
    path : pathlib.Path
        The lock file; made if needed and left in place.

    Raises
    ------
    LockedError
        If another process holds it.
    """
    import fcntl

    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            raise LockedError(
                f"another run (process {holder}) is writing to this project. Wait for it to "
                "finish, or stop it, and try again."
            ) from error
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
