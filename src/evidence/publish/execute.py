"""Run a parameterised notebook with Papermill."""

from __future__ import annotations

import contextlib
import logging
import os
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat

from evidence.errors import EvidenceError
from evidence.files import write_atomically

if TYPE_CHECKING:
    from traitlets.config import Config


class NotebookError(EvidenceError):
    """A notebook raised, hung or lost its kernel.

    Attributes
    ----------
    notebook : pathlib.Path
        The executed notebook, kept for a look at what went wrong.
    traceback : str
        The traceback without colour codes, empty where there is none.
    """

    def __init__(self, message: str, notebook: Path, traceback: str = "") -> None:
        super().__init__(message)
        self.notebook = notebook
        self.traceback = traceback


def execute(
    notebook: Path,
    parameters: Mapping[str, Any],
    *,
    out: Path,
    folder: Path,
    timeout: float = 300.0,
) -> nbformat.NotebookNode:
    """Execute a notebook in a kernel of its own.

    Parameters
    ----------
    notebook : pathlib.Path
        Notebook with a cell tagged ``parameters``; it is only read.
    parameters : mapping
        Values for that cell. Papermill writes them as Python literals, so that text cannot become
        code.
    out : pathlib.Path
        Where the executed notebook is kept, also when it fails; written atomically.
    folder : pathlib.Path
        Working directory of the kernel.
    timeout : float
        Seconds that one cell may take.

    Returns
    -------
    nbformat.NotebookNode
        The executed notebook.

    Raises
    ------
    NotebookError
        If a cell raises, a cell takes too long, or the kernel dies.
    """
    import papermill
    from nbclient.exceptions import CellTimeoutError, DeadKernelError
    from papermill.exceptions import PapermillExecutionError

    out.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=out.parent, prefix=f".{out.name}.", suffix=".ipynb")
    os.close(handle)
    scratch = Path(name)
    try:
        with _quiet(), _private_sockets() as sockets:
            papermill.execute_notebook(
                str(notebook),
                str(scratch),
                parameters=dict(parameters),
                progress_bar=False,
                log_output=False,
                cwd=str(folder),
                kernel_name="python3",
                language="python",
                # Saving after every cell costs more than running most cells.
                request_save_on_cell_execute=False,
                execution_timeout=timeout,
                # A kernel warns on every start that others on this machine could listen. What it
                # computes is published anyway, and its failures are in the notebook.
                extra_arguments=["--log-level=CRITICAL"],
                # Nothing is left to clear up in a kernel whose outputs are all here; asking it to
                # end by itself takes half a second.
                shutdown_kernel="immediate",
                config=sockets,
            )
    except PapermillExecutionError as error:
        _keep(scratch, out)
        lines = "\n".join(error.traceback)
        raise NotebookError(
            f"cell {error.exec_count or error.cell_index}: {error.ename}: {error.evalue}",
            out,
            _without_colours(lines),
        ) from error
    except CellTimeoutError as error:
        _keep(scratch, out)
        raise NotebookError(f"a cell took longer than {timeout:g} seconds", out) from error
    except DeadKernelError as error:
        _keep(scratch, out)
        raise NotebookError("the kernel died, perhaps for want of memory", out) from error
    else:
        _keep(scratch, out)
        return nbformat.read(out, as_version=4)
    finally:
        scratch.unlink(missing_ok=True)


def _keep(scratch: Path, out: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        write_atomically(out, scratch.read_bytes())


def _without_colours(text: str) -> str:
    import re

    return re.sub(r"\x1b\[[0-9;]*m", "", text)


@contextlib.contextmanager
def _private_sockets() -> Iterator[Config]:
    """Let a kernel talk through Unix sockets in a folder of its own.

    TCP ports are looked up by one process and bound later by another, so that of many kernels
    started at once one in a while finds its port taken and dies. Nobody else can reach the folder.
    """
    from traitlets.config import Config

    # A socket's path may have about a hundred characters.
    longest = 60
    parent = "/tmp" if len(tempfile.gettempdir()) > longest else None
    with tempfile.TemporaryDirectory(prefix="kernel-", dir=parent) as folder:
        yield Config(
            KernelManager={"transport": "ipc", "connection_file": f"{folder}/connection.json"}
        )


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep Papermill's chatter off the screen: what matters is in the result or the error."""
    logger = logging.getLogger("papermill")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
