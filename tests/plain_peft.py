"""PEFT itself over a mixture's backbone and its epochs' own folders, to compare with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from peft import PeftModel

from tlora_gui.engine.projects.adapter_folder import write_adapter
from tlora_gui.temporal.model import TemporalLoRA


@contextmanager
def plain_peft(model: TemporalLoRA, *names: str) -> Iterator[Any]:
    """PEFT's model with these epochs, the first one active; the backbone by itself without any."""
    if not names:
        yield model.backbone
        return
    with TemporaryDirectory() as folder:
        for name in names:
            write_adapter(model, name, Path(folder, name), "")
        peft_model = PeftModel.from_pretrained(model.backbone, Path(folder, names[0]), adapter_name=names[0])
        try:
            for name in names[1:]:
                peft_model.load_adapter(Path(folder, name), adapter_name=name)
            yield peft_model.eval()
        finally:
            peft_model.unload()
            model.backbone.requires_grad_(False)
