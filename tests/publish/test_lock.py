import subprocess
import sys
from pathlib import Path

import pytest

from evidence.errors import LockedError
from evidence.publish.lock import run_lock

HOLD = """
import sys
from pathlib import Path
from evidence.publish.lock import run_lock
with run_lock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_second_run_is_refused_until_the_first_ends(tmp_path: Path) -> None:
    path = tmp_path / "build" / "run.lock"
    first = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert first.stdout is not None and first.stdin is not None
    assert first.stdout.readline() == "held\n"
    with pytest.raises(LockedError, match=f"process {first.pid}") as error, run_lock(path):
        pass
    assert error.value.exit_code == 3
    # Killed outright, the first leaves no lock behind.
    first.kill()
    first.wait()
    first.stdin.close()
    first.stdout.close()
    with run_lock(path):
        assert path.exists()
