"""What ``project.json`` says: which backbone, which settings, which epochs in which folders, which mixers."""

from __future__ import annotations

import json
import os
import re
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tlora_gui.engine.projects.migration import FORMAT_VERSION, index_of
from tlora_gui.engine.protocol.config import LoraSettings, MixerSettings
from tlora_gui.engine.protocol.errors import TloraError
from tlora_gui.engine.protocol.sentences import say
from tlora_gui.engine.storage.disk import DAMAGE, read_json, unreadable, write_text
from tlora_gui.engine.storage.typed_json import reader
from tlora_gui.temporal.config import require

_MAX_EPOCHS = 10_000
_MAX_PATH = 4096
_MAX_PART = 255


@dataclass(frozen=True, slots=True)
class MixerFile:
    """A stored mixer and the epochs of its slots 1 …"""

    file: str
    slots: tuple[str, ...]

    @property
    def number(self) -> int:
        """The number in its file's name, 0 if there is none."""
        return int(re.sub(r"\D", "", self.file) or 0)


@dataclass(frozen=True, slots=True)
class ProjectIndex:
    """A project's index. Whoever changes a project writes a new one.

    Attributes:
        backbone_reference: what a person named: "starter", a Hub id, a path, which is absolute here. One inside the
            project's folder is stored as seen from there, so that the folder can be moved.
        backbone_name: what people and adapter folders call it.
        fingerprint: of its weights.
        lora: of every epoch.
        mixer: of the Time Mixer.
        folders: the name of each finished epoch's folder by its slug, in order.
        mixers: the last is current.
        baselines: mixers that learned without Active Sleep, each by the epoch of its last slot.
        format: what the project is written in.
    """

    backbone_reference: str
    backbone_name: str
    fingerprint: str
    lora: LoraSettings
    mixer: MixerSettings
    folders: dict[str, str] = field(default_factory=dict)
    mixers: tuple[MixerFile, ...] = ()
    baselines: tuple[MixerFile, ...] = ()
    format: int = FORMAT_VERSION

    @classmethod
    def read(cls, file: Path) -> ProjectIndex:
        """What a file in a project's folder says.

        Raises:
            TloraError: if it is not a project, is damaged, or was made by a newer version.
        """
        try:
            index = read_json(file)
            version = reader(int)(index["format_version"])
            if version > FORMAT_VERSION:
                raise TloraError(
                    say(
                        "{name} was made by a newer tlora-gui (project format {version}).",
                        name=file.parent.name,
                        version=version,
                    ),
                    say("Update tlora-gui."),
                )
            require(version >= 1, say("its format is none"))
            index = index_of(index, version)
            backbone, read_name = index["backbone"], reader(str)
            return cls(
                backbone_reference=_found_from(file.parent, _bounded(read_name(backbone["reference"]))),
                backbone_name=_bounded(read_name(backbone["name"])),
                fingerprint=_bounded(read_name(backbone["fingerprint"])),
                lora=_settings(LoraSettings, index["lora"]),
                mixer=_settings(MixerSettings, index["mixer"]),
                folders=_folders(index["epochs"]),
                mixers=_mixer_files(index["mixers"]),
                baselines=_mixer_files(index["baselines"], least=1),
                format=version,
            )
        except (FileNotFoundError, NotADirectoryError) as error:
            raise TloraError(
                say("{folder} is not a Temporal LoRA project: it holds no {file}.", folder=file.parent, file=file.name),
                say("Choose a project's folder."),
            ) from error
        except DAMAGE as error:
            raise unreadable(
                file,
                error,
                say(
                    "Nothing was changed; restore that file from a copy. The epochs beside it are whole PEFT adapters."
                ),
            ) from error

    def write(self, file: Path) -> None:
        """Replace the file."""
        index = {
            "format_version": FORMAT_VERSION,
            "backbone": {
                "reference": _seen_from(file.parent, self.backbone_reference),
                "name": self.backbone_name,
                "fingerprint": self.fingerprint,
            },
            "lora": asdict(self.lora),
            "mixer": asdict(self.mixer),
            "epochs": self.folders,
            "mixers": [asdict(entry) for entry in self.mixers],
            "baselines": [asdict(entry) for entry in self.baselines],
        }
        write_text(file, json.dumps(index, indent=2))


def _found_from(folder: Path, reference: str) -> str:
    """What a stored reference names: a relative path begins in the project's folder."""
    return os.path.abspath(folder / reference) if reference.startswith(".") else reference


def _seen_from(folder: Path, reference: str) -> str:
    """A reference as it is stored."""
    path = Path(reference)
    inside = path.is_absolute() and path.is_relative_to(os.path.abspath(folder))
    return f"./{path.relative_to(os.path.abspath(folder)).as_posix()}" if inside else reference


def _settings(kind: Any, data: Any) -> Any:
    """Settings as they were stored; with an unknown one they would be others."""
    kind(**data)
    return reader(kind)(data)


def _folders(data: Any) -> dict[str, str]:
    folders = {_slug(slug): _plain_name(folder) for slug, folder in data.items()}
    require(len(folders) <= _MAX_EPOCHS, say("more than {limit:,} epochs", limit=_MAX_EPOCHS))
    require(len(set(folders.values())) == len(folders), say("two epochs in one folder"))
    return folders


def _mixer_files(data: Any, least: int = 0) -> tuple[MixerFile, ...]:
    listed: tuple[MixerFile, ...] = reader(tuple[MixerFile, ...])(data)
    for entry in listed:
        _plain_name(entry.file)
        slots = len(set(map(_slug, entry.slots)))
        require(least <= slots == len(entry.slots) <= _MAX_EPOCHS, say("slots of a mixer are not its epochs"))
    return listed


def _slug(slug: str) -> str:
    require(0 < len(slug) <= _MAX_PART, say("an epoch without a name that can be used"))
    return slug


def _bounded(text: str) -> str:
    require(len(text) <= _MAX_PATH and "\0" not in text, say("a text in it is too long"))
    return text


def _plain_name(name: Any) -> str:
    """A name out of an index, if it names something inside the project's own folders.

    Raises:
        ValueError: for anything that could lead out of them, since folders are moved and removed by these names.
    """
    plain = isinstance(name, str) and 0 < len(name) <= _MAX_PART and name[0] != "." and not set(name) & set("/\\:\0")
    require(plain, say("{name!r:.60} is no plain name", name=name))
    return str(name)
