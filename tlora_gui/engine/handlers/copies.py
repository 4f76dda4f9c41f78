"""Handlers of the jobs about a whole project's files: copy, pack, unpack, weigh."""

from __future__ import annotations

from collections.abc import Sequence

from tlora_gui.engine.projects.project import Project
from tlora_gui.engine.protocol import jobs
from tlora_gui.engine.protocol.cancel import CancelToken
from tlora_gui.engine.protocol.config import PROJECT_PARTS
from tlora_gui.engine.protocol.events import EpochInfo, ProjectWeighed, ProjectWritten
from tlora_gui.engine.protocol.sentences import say
from tlora_gui.engine.protocol.streams import Stream
from tlora_gui.engine.sharing.archive import pack, require_target, sizes, unpack
from tlora_gui.engine.sharing.project_copy import copy_project
from tlora_gui.engine.storage.disk import absolute
from tlora_gui.paths import free_name, projects_dir

FilesJob = jobs.CopyProject | jobs.PackProject | jobs.WeighProject


def do(project: Project, job: FilesJob, training: Sequence[EpochInfo], cancel: CancelToken) -> Stream:
    """Do a job with the files of a project, into which nobody else writes meanwhile.

    Args:
        project: as it is on disk.
        job: what is asked.
        training: epochs that are in training there.
        cancel: looked at on the way.

    Raises:
        TloraError: if it cannot be read or written.
        Cancelled: if ``cancel`` is set on the way.
    """
    match job:
        case jobs.WeighProject():
            rest, parts = sizes(project)
            yield ProjectWeighed(rest, tuple((part, parts[part]) for part in PROJECT_PARTS))
        case jobs.CopyProject():
            target = absolute(job.target)
            yield from copy_project(project, target, training, cancel)
            yield ProjectWritten(str(target), _note(project, training, with_checkpoints=True))
        case jobs.PackProject():
            target = absolute(job.target)
            require_target(target, overwrite=job.overwrite)
            yield from pack(project, target, job.without, cancel)
            yield ProjectWritten(
                str(target), _note(project, training, with_checkpoints="checkpoints" not in job.without)
            )


def _note(project: Project, training: Sequence[EpochInfo], *, with_checkpoints: bool) -> str:
    """What has become of the epoch in training, of which there is one at most."""
    for epoch in training:
        if with_checkpoints and epoch.slug in project.checkpoints.slugs():
            step, steps = project.checkpoints.steps(epoch.slug)
            return say(
                "{name} is in training; it is there as it was after step {step:,} of {steps:,}.",
                name=epoch.name, step=step, steps=steps,
            )  # fmt: skip
        return say("{name} is in training; it is not there yet.", name=epoch.name)
    return ""


def unpack_project(job: jobs.UnpackProject, cancel: CancelToken) -> Stream:
    """Make a project of a file.

    Raises:
        TloraError: if it is none, or cannot be written.
        Cancelled: if ``cancel`` is set on the way.
    """
    path, folder = absolute(job.path), projects_dir()
    target = (
        absolute(job.target) if job.target else folder / free_name(path.stem, lambda name: (folder / name).exists())
    )
    yield from unpack(path, target, cancel)
    yield ProjectWritten(str(target))
