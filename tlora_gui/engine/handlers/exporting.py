"""Handlers of the jobs that bring epochs out of a project: export, merge and export."""

from __future__ import annotations

from math import isfinite
from pathlib import Path
from typing import Any

import psutil
from safetensors import SafetensorError

from tlora_gui.engine.backbones.fast_linear import lay_weights
from tlora_gui.engine.projects.adapter_folder import write_weights
from tlora_gui.engine.projects.model_card import CARD_FILE
from tlora_gui.engine.projects.project import Project
from tlora_gui.engine.protocol import jobs
from tlora_gui.engine.protocol.cancel import CancelToken
from tlora_gui.engine.protocol.errors import TloraError
from tlora_gui.engine.protocol.events import FileWritten, Progress
from tlora_gui.engine.protocol.sentences import say
from tlora_gui.engine.protocol.streams import Stream, cancellable
from tlora_gui.engine.sharing.adapter_gguf import require_gguf, write_gguf
from tlora_gui.engine.sharing.export_target import require_place
from tlora_gui.engine.sharing.merging import compressed, merged, merged_state
from tlora_gui.engine.storage.disk import DAMAGE, absolute, first_line, is_path, read_json, require_room, write_folder
from tlora_gui.engine.workspace import Workspace
from tlora_gui.temporal.lora import LoraWeights

ExportJob = jobs.ExportEpoch | jobs.ExportMerge
_GGUF = ".gguf"
_HIGHEST_WEIGHT = 10


def export(workspace: Workspace, job: ExportJob, cancel: CancelToken) -> Stream:
    """Write an epoch, or several as one, for others to use.

    Raises:
        TloraError: what :func:`require_exportable` refuses; or if an epoch is broken, or it cannot be written.
        Cancelled: if ``cancel`` is set on the way.
    """
    project, model = workspace.project, workspace.model
    weights, target = dict(_weights_of(job)), require_exportable(project, job)
    base = workspace.loadable_backbone()
    if isinstance(job, jobs.ExportEpoch) and target.suffix.lower() != _GGUF:
        yield FileWritten(str(project.export_epoch(job.slug, absolute(job.path), base)))
        return
    _refuse_backbone(model.backbone.config.to_dict(), job, workspace.backbone.name)
    for slug in weights:
        if slug not in model.adapters:
            raise TloraError(
                say("{name} is broken.", name=workspace.epochs[slug].name), say("Leave it out, or restore it first.")
            )
    yield Progress(say("Merging epochs") if len(weights) > 1 else say("Writing the export"))
    adapter = merged([(model.adapters[slug].weights, weight) for slug, weight in weights.items()])
    error = None
    if isinstance(job, jobs.ExportMerge) and job.rank is not None and job.rank < adapter.r:
        adapter, error = yield from cancellable(compressed(adapter, job.rank), cancel)
    cancel.raise_if_cancelled()
    require_room(target, sum(tensor.nbytes for tensor in (*adapter.down, *adapter.up)))
    try:
        if isinstance(job, jobs.ExportMerge) and job.into_backbone:
            _write_model(workspace, adapter, target, project.card("merged model", weights, base))
        elif target.suffix.lower() == _GGUF:
            target.parent.mkdir(parents=True, exist_ok=True)
            write_gguf(target, model, adapter, " + ".join(workspace.epochs[slug].name for slug in weights))
        else:
            remark = () if error is None else (f"Compressed to rank {adapter.r}: {error:.2%} of the update is lost.",)
            card = project.card("merged adapter", weights, base, *remark)

            def fill(folder: Path) -> None:
                write_weights(model, adapter, folder, base)
                (folder / CARD_FILE).write_text(card, encoding="utf-8")

            write_folder(target, fill)
    except (OSError, SafetensorError, ValueError) as problem:
        raise TloraError(
            say("{path} cannot be written: {reason}.", path=target, reason=first_line(problem)),
            say("Choose another folder."),
        ) from problem
    yield FileWritten(str(target), error)


def require_exportable(project: Project, job: ExportJob, backbone: str = "") -> Path:
    """What of an export can be refused before the backbone is loaded, ``backbone`` if it is not where it was.

    Returns:
        where it goes.

    Raises:
        TloraError: if there is no such epoch, something is there already, or what is asked for does not go together.
    """
    weights, path = _weights_of(job), absolute(job.path)
    into_backbone = isinstance(job, jobs.ExportMerge) and job.into_backbone
    if not weights:
        raise TloraError(say("There is no epoch to merge."), say("Choose one or more."))
    if len(dict(weights)) < len(weights):
        raise TloraError(say("An epoch was named twice."), say("Name each of them once."))
    if not all(isfinite(weight) and 0 < weight <= _HIGHEST_WEIGHT for _, weight in weights):
        raise TloraError(
            say("A weight is above 0 and at most {limit}.", limit=_HIGHEST_WEIGHT),
            say("Leave epochs out that are to have none."),
        )
    if isinstance(job, jobs.ExportMerge) and job.rank is not None and (job.rank < 1 or into_backbone):
        raise TloraError(
            say("A rank is 1 or more.") if job.rank < 1 else say("A merged model has no rank."),
            say("Leave it out to keep the merge exact."),
        )
    if into_backbone and path.suffix.lower() == _GGUF:
        raise TloraError(
            say("A merged model is not written as GGUF."),
            say("Export a folder, and convert it with llama.cpp's convert_hf_to_gguf.py."),
        )
    target = project.require_exportable(
        [slug for slug, _ in weights], path, "-merged" if into_backbone else "", overwrite=job.overwrite
    )
    require_place(target)
    reference = backbone or project.index.backbone_reference
    try:
        described = read_json(absolute(reference) / "config.json") if is_path(reference) else {}
    except DAMAGE:  # a .gguf file, or nothing there: it will be told when it is to be loaded
        described = {}
    if isinstance(described, dict) and described:
        _refuse_backbone(described, job, project.index.backbone_name)
    return target


def _weights_of(job: ExportJob) -> tuple[tuple[str, float], ...]:
    return job.weights if isinstance(job, jobs.ExportMerge) else ((job.slug, 1.0),)


def _refuse_backbone(config: dict[str, Any], job: ExportJob, name: str) -> None:
    """Refuse a backbone with which that cannot be done, by its configuration."""
    if absolute(job.path).suffix.lower() == _GGUF:
        require_gguf(str(config.get("model_type")))
    elif isinstance(job, jobs.ExportMerge) and job.into_backbone and config.get("quantization_config"):
        raise TloraError(
            say("The weights of {name} are quantised, so that nothing can be added to them.", name=name),
            say("Merge the epochs into one adapter instead."),
        )


def _write_model(workspace: Workspace, adapter: LoraWeights, target: Path, card: str) -> None:
    """Write the backbone with an adapter in its weights, and its tokenizer."""
    model, backbone = workspace.model, workspace.model.backbone
    size = sum(tensor.numel() * tensor.element_size() for tensor in backbone.parameters())
    require_room(target, size + _BESIDE_WEIGHTS)
    copied = sum(down.shape[1] * len(up) for down, up in zip(adapter.down, adapter.up, strict=True))
    if psutil.virtual_memory().available < copied * backbone.dtype.itemsize:
        raise TloraError(
            say("There was not enough memory."), say("Close what else needs memory, or merge into one adapter.")
        )

    try:
        backbone.generation_config.validate(strict=True)
    except ValueError:  # a temperature without do_sample, which is loaded with a remark and not saved
        backbone.generation_config.do_sample = True

    def fill(folder: Path) -> None:
        lay_weights(backbone, "rows")
        backbone.save_pretrained(folder, state_dict=merged_state(model, adapter))
        workspace.backbone.tokenizer.save_pretrained(folder)
        (folder / CARD_FILE).write_text(card, encoding="utf-8")

    write_folder(target, fill)


_BESIDE_WEIGHTS = 64 * 2**20
"""Bytes that tokenizer and configuration take at most."""
