"""A project copied to a new folder, whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from tlora_gui.engine.projects.checkpoints import Checkpoints
from tlora_gui.engine.projects.epoch_folder import read_facts
from tlora_gui.engine.projects.migration import INDEX
from tlora_gui.engine.projects.new_folder import require_free
from tlora_gui.engine.projects.project import Project
from tlora_gui.engine.projects.project_lock import LOCK_FILE, OWNER_FILE
from tlora_gui.engine.protocol.cancel import CancelToken
from tlora_gui.engine.protocol.errors import TloraError, disk_is_full
from tlora_gui.engine.protocol.events import EpochInfo, Progress
from tlora_gui.engine.protocol.sentences import say
from tlora_gui.engine.sharing.export_target import require_place
from tlora_gui.engine.storage.disk import (
    absolute,
    first_line,
    is_partial,
    is_path,
    new_file,
    require_inside,
    require_room,
    require_utf8,
    whole_folder,
)

CHUNK = 2**20


def copy_project(
    project: Project, target: Path, training: Sequence[EpochInfo], cancel: CancelToken
) -> Generator[Progress, None, None]:
    """Copy a project to a new folder.

    Args:
        project: nobody else may write into it meanwhile.
        target: the new folder.
        training: epochs that are in training; in the copy they are interrupted.
        cancel: looked at on the way.

    Raises:
        TloraError: if a part leads out of the project, there is no room, or something is there already.
        Cancelled: if ``cancel`` is set on the way.
    """
    try:
        files = list(project_files(project.path))
    except (OSError, ValueError) as error:
        raise TloraError(
            say("{name} cannot be copied: {reason}.", name=project.path.name, reason=first_line(error)),
            say("Put the file itself there, or take it away."),
        ) from error
    done, total = 0, sum(size for _, size in files)
    with new_project(target, total) as copy:
        for file, _ in files:
            with file.open("rb") as source, new_file(copy / file.relative_to(project.path)) as into:
                while piece := source.read(CHUNK):
                    into.write(piece)
                    done += len(piece)
                    yield Progress(say("Copying the project"), done / 1e6, total / 1e6, say("MB"))
                    cancel.raise_if_cancelled()
        checkpoints, index = Checkpoints(copy / "checkpoints"), project.index
        for info in checkpoints.training():
            if info.slug in {epoch.slug for epoch in training}:
                checkpoints.end(*read_facts(checkpoints.folder(info.slug)))
        backbone = absolute(index.backbone_reference)
        if is_path(index.backbone_reference) and backbone.is_relative_to(project.path):
            copied = target / backbone.relative_to(project.path)
            replace(index, backbone_reference=str(copied)).write(copy / INDEX)


@contextmanager
def new_project(target: Path, size: int) -> Iterator[Path]:
    """A folder to fill with ``size`` bytes, which becomes the project ``target``, whole or not at all.

    Raises:
        TloraError: if it is no place for a new project, has no room, or cannot be written.
    """
    require_utf8(target)
    require_free(target)
    require_place(target)
    require_room(target, size)
    try:
        with whole_folder(target) as partial:
            yield partial
            if target.exists():  # empty but for what a stopped attempt left
                (target / LOCK_FILE).unlink(missing_ok=True)
                target.rmdir()
    except OSError as error:
        if disk_is_full(error):
            raise
        raise TloraError(
            say("{path} cannot be written: {reason}.", path=target, reason=first_line(error)),
            say("Choose another folder."),
        ) from error


def project_files(root: Path) -> Iterator[tuple[Path, int]]:
    """Every file in a project's folder with its bytes, in the order of their names, but for the lock and what is half
    written.

    Raises:
        OSError, ValueError: if one leads out of the folder, or is no file.
    """

    def refuse(error: OSError) -> None:
        raise error

    for parent, folders, files in os.walk(root, onerror=refuse):
        folders[:] = sorted(name for name in folders if not is_partial(name))
        for name in folders:
            if Path(parent, name).is_symlink():
                raise ValueError(say("{name} is a link to a folder", name=name))
        for name in sorted(files):
            path = Path(parent, name)
            if not is_partial(name) and path not in (root / LOCK_FILE, root / OWNER_FILE):
                require_inside(path, root)
                yield path, path.stat().st_size
