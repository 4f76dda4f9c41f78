"""What ``project.json`` says: which backbone, which settings, which epochs in which folders, which mixers."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tlora_gui.engine.config import LoraSettings, MixerSettings
from tlora_gui.engine.errors import TloraError
from tlora_gui.engine.storage import DAMAGE, write_text

FORMAT_VERSION = 1


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
        backbone_reference: what a person named: "starter", a Hub id, a path.
        backbone_name: what people and adapter folders call it.
        fingerprint: of its weights.
        lora: of every epoch.
        mixer: of the Time Mixer.
        folders: the name of each finished epoch's folder by its slug, in order.
        mixers: the last is current.
        unprotected: mixers that learned without Active Sleep, each by the epoch of its last slot.
    """

    backbone_reference: str
    backbone_name: str
    fingerprint: str
    lora: LoraSettings
    mixer: MixerSettings
    folders: dict[str, str] = field(default_factory=dict)
    mixers: tuple[MixerFile, ...] = ()
    unprotected: tuple[MixerFile, ...] = ()

    @classmethod
    def read(cls, file: Path) -> ProjectIndex:
        """What a file in a project's folder says.

        Raises:
            TloraError: if it is not a project, is damaged, or was made by a newer version.
        """
        try:
            index = json.loads(file.read_text(encoding="utf-8"))
            version = index["format_version"]
            if version > FORMAT_VERSION:
                maker = f"a newer tlora-gui (project format {version})"
                raise TloraError(f"{file.parent.name} was made by {maker}.", "Update tlora-gui.")
            return cls(
                backbone_reference=index["backbone"]["reference"],
                backbone_name=index["backbone"]["name"],
                fingerprint=index["backbone"]["fingerprint"],
                lora=LoraSettings(**index["lora"]),
                mixer=MixerSettings(**index["mixer"]),
                folders={str(slug): _plain_name(folder) for slug, folder in index["epochs"].items()},
                mixers=_mixer_files(index["mixers"]),
                unprotected=_mixer_files(index.get("unprotected", [])),  # older indexes have none
            )
        except (FileNotFoundError, NotADirectoryError) as error:
            raise TloraError(
                f"{file.parent} is not a Temporal LoRA project: it holds no {file.name}.", "Choose a project's folder."
            ) from error
        except DAMAGE as error:
            raise TloraError(
                f"{file} is damaged: {error}.",
                "Nothing was changed; restore that file from a copy. The epochs beside it are whole PEFT adapters.",
            ) from error

    def write(self, file: Path) -> None:
        """Replace the file."""
        index = {
            "format_version": FORMAT_VERSION,
            "backbone": {
                "reference": self.backbone_reference,
                "name": self.backbone_name,
                "fingerprint": self.fingerprint,
            },
            "lora": asdict(self.lora),
            "mixer": asdict(self.mixer),
            "epochs": self.folders,
            "mixers": [asdict(entry) for entry in self.mixers],
            "unprotected": [asdict(entry) for entry in self.unprotected],
        }
        write_text(file, json.dumps(index, indent=2))


def _mixer_files(listed: list[dict[str, Any]]) -> tuple[MixerFile, ...]:
    return tuple(MixerFile(_plain_name(one["file"]), tuple(one["slots"])) for one in listed)


def _plain_name(name: Any) -> str:
    """A name out of an index, if it names something inside the project's own folders.

    Raises:
        ValueError: for anything that could lead out of them, since folders are moved and removed by these names.
    """
    if not isinstance(name, str) or name.startswith(".") or not name or set(name) & set("/\\:\0"):
        raise ValueError(f"{name!r} is no plain name")
    return name
