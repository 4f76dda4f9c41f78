"""Handlers of the jobs about kept generations: list, open, name, delete, export, import."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch
import transformers

import tlora_gui
from tlora_gui.engine.backbones.loading import state_hash
from tlora_gui.engine.projects.project_index import MixerFile
from tlora_gui.engine.projects.recipe import BackboneRecipe, EpochRecipe, MixerRecipe, Recipe, Versions
from tlora_gui.engine.protocol import jobs
from tlora_gui.engine.protocol.config import BASELINE_MODE, MIXER_MODE
from tlora_gui.engine.protocol.errors import TloraError, cause
from tlora_gui.engine.protocol.events import FileWritten, GenerationLoaded, GenerationsListed
from tlora_gui.engine.protocol.markdown import to_markdown
from tlora_gui.engine.protocol.sentences import say
from tlora_gui.engine.protocol.texts import Generation
from tlora_gui.engine.sharing.export_html import to_html
from tlora_gui.engine.sharing.export_json import read_json, to_json
from tlora_gui.engine.sharing.export_target import export_kind
from tlora_gui.engine.storage.disk import absolute, write_text
from tlora_gui.engine.workspace import Workspace

TextJob = (
    jobs.ListGenerations
    | jobs.LoadGeneration
    | jobs.EditGeneration
    | jobs.DeleteGeneration
    | jobs.ExportGeneration
    | jobs.ImportGeneration
)


def do(workspace: Workspace, job: TextJob) -> GenerationsListed | GenerationLoaded | FileWritten:
    """Do a job about kept texts.

    Raises:
        TloraError: if the text is not there, or a file cannot be read or written.
    """
    kept = workspace.project.generations
    match job:
        case jobs.LoadGeneration():
            return GenerationLoaded(kept.load(job.id))
        case jobs.ExportGeneration():
            return _export(workspace, job)
        case jobs.ImportGeneration():
            return _import(workspace, absolute(job.path))
        case jobs.EditGeneration():
            kept.edit(job.id, job.name, job.pinned)
        case jobs.DeleteGeneration():
            if job.restore:
                kept.restore(job.id)
            else:
                kept.delete(job.id)
    return GenerationsListed(kept.summaries())


def _export(workspace: Workspace, job: jobs.ExportGeneration) -> FileWritten:
    path, record = absolute(job.path), job.record
    kind = export_kind(path)
    recipe = workspace.project.generations.origin(record.id) or recipe_of(workspace, record)
    match kind:
        case "html":
            text = to_html(record, recipe)
        case "json":
            text = to_json(record, recipe)
        case _:
            text = to_markdown(record)
    try:
        write_text(path, text)
    except OSError as error:
        raise TloraError(
            say("{path} cannot be written: {reason}.", path=path, reason=cause(error)),
            say("Choose another place."),
        ) from error
    return FileWritten(str(path))


def _import(workspace: Workspace, path: Path) -> GenerationLoaded:
    record, recipe = read_json(path)
    kept = workspace.project.generations
    if record.parent not in {summary.id for summary in kept.summaries()}:
        record = replace(record, parent="")
    return GenerationLoaded(kept.keep(record, recipe))


def recipe_of(workspace: Workspace, record: Generation) -> Recipe:
    """What made a generation in this project.

    Epochs are frozen, so what is there now is what wrote then; the mixer is the stored one over the same epochs.
    """
    index, epochs = workspace.project.index, record.slots[1:]
    known = {epoch.slug: epoch for epoch in workspace.epochs}
    return Recipe(
        BackboneRecipe(index.backbone_reference, index.backbone_name, index.fingerprint),
        tuple(
            EpochRecipe(
                slot.slug,
                slot.name,
                known[slot.slug].era if slot.slug in known else "",
                _adapter_hash(workspace, slot.slug),
            )
            for slot in epochs
        ),
        MixerRecipe(index.mixer.strategy, _mixer_hash(workspace, record), index.lora.bare_router),
        record.mode,
        record.sampling,
        record.desk,
        Versions(tlora_gui.__version__, str(torch.__version__), transformers.__version__),
    )


def _adapter_hash(workspace: Workspace, slug: str) -> str:
    if slug not in workspace.project.index.folders or slug not in workspace.model.adapters:
        return ""
    return state_hash(workspace.model.adapter_parameters(slug))


def _mixer_hash(workspace: Workspace, record: Generation) -> str:
    entry = _mixer_file(workspace, record)
    try:
        return state_hash(dict(workspace.project.read_mixer(entry, workspace.model).state_dict())) if entry else ""
    except TloraError:
        return ""


def _mixer_file(workspace: Workspace, record: Generation) -> MixerFile | None:
    """Where the mixer that decided is stored, if one did and it is."""
    slots, index = tuple(slot.slug for slot in record.slots[1:]), workspace.project.index
    if record.mode == MIXER_MODE:
        return next((entry for entry in reversed(index.mixers) if entry.slots == slots), None)
    if record.mode == BASELINE_MODE:  # that of the latest epoch then
        return next((entry for entry in index.baselines if entry.slots[-1:] == slots[-1:]), None)
    return {stored.mode: entry for stored, entry in workspace.stored_mixers().items()}.get(record.mode)
