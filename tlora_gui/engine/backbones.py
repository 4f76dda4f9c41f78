"""Find, fetch and load a frozen causal LM from whatever a person named; device and dtype."""

from __future__ import annotations

import hashlib
import platform
import threading
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from torch import nn
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel
from transformers.utils import logging as transformers_logging

from tlora_gui.engine import starter
from tlora_gui.engine.cancel import CancelToken
from tlora_gui.engine.config import STARTER
from tlora_gui.engine.errors import Cancelled, TloraError
from tlora_gui.engine.events import Progress


@dataclass(frozen=True, slots=True)
class Backbone:
    """A loaded backbone.

    ``name`` is what people and adapter folders call it, ``reference`` what a person typed, a path made absolute.
    """

    model: PreTrainedModel
    tokenizer: Any
    reference: str
    name: str


def pick_device() -> torch.device:
    """The GPU if there is one, else the CPU."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def pick_dtype(device: torch.device) -> torch.dtype:
    """bfloat16 on CUDA, float32 elsewhere: decoding one token at a time on a CPU is not faster in bfloat16."""
    return torch.bfloat16 if device.type == "cuda" and torch.cuda.is_bf16_supported() else torch.float32


def trains_in_bf16(device: torch.device) -> bool:
    """Whether bf16 autocast pays in training: any CUDA device that has it, and CPUs with AVX512-BF16 or AMX."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    if device.type != "cpu" or platform.machine() not in ("x86_64", "AMD64"):
        return False
    capabilities: dict[str, bool] = getattr(torch.cpu, "get_capabilities", dict)()
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))


def load_backbone(
    reference: str, cancel: CancelToken, device: torch.device | None = None
) -> Generator[Progress, None, Backbone]:
    """Load "starter", a local folder, a .gguf file, or a Hub id; frozen, in eval mode.

    Yields:
        Progress of fetching and loading.

    Raises:
        TloraError: nothing of that name, no network, or not a causal language model.
        Cancelled: if ``cancel`` is set on the way.
    """
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    device = device or pick_device()
    path = Path(reference).expanduser()
    name = where = reference
    if reference == STARTER:
        folder: Path = yield from starter.ensure_backbone(cancel)
        name = starter.BACKBONE_NAME
    elif path.suffix.lower() == ".gguf":
        if not path.is_file():
            raise TloraError(f"{path} does not exist.", "Choose a .gguf file that is there.")
        folder = yield from starter.ensure_converted(path, cancel)
        name, where = path.stem, str(path.resolve())
    elif path.is_dir():
        if not (path / "config.json").is_file():
            raise TloraError(f"{path} holds no model: there is no config.json.", "Choose a folder with a saved model.")
        folder = path.resolve()
        name, where = folder.name, str(folder)
    elif path.is_absolute() or reference.startswith((".", "~")):
        raise TloraError(f"{path} does not exist.", "Choose a model folder or a .gguf file that is there.")
    else:
        folder = yield from _fetch_from_hub(reference, cancel)
    yield Progress(f"Loading {name}")
    model, tokenizer = _load(folder, name, pick_dtype(device), device)
    cancel.raise_if_cancelled()
    return Backbone(model, tokenizer, where, name)


def _load(folder: Path, name: str, dtype: torch.dtype, device: torch.device) -> tuple[PreTrainedModel, Any]:
    try:
        model = AutoModelForCausalLM.from_pretrained(folder, dtype=dtype, local_files_only=True)
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    except (ValueError, OSError, KeyError, RuntimeError, SafetensorError) as error:
        if "Unrecognized configuration class" in str(error) or "AutoModelForCausalLM" in str(error):
            raise not_causal(name) from error
        first_line = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise TloraError(
            f"{name} could not be loaded: {first_line}",
            "Check that the folder holds a complete causal language model with its tokenizer.",
        ) from error
    model.to(device).requires_grad_(False).eval()
    if not is_causal(model):
        raise not_causal(name)
    return model, tokenizer


def not_causal(name: str) -> TloraError:
    """The refusal of a model that reads both ways or has no next-token head."""
    return TloraError(
        f"{name} is not a causal language model, so it cannot write text token by token.",
        "Choose a decoder model such as Llama, Qwen, GPT-2 or SmolLM.",
    )


@torch.inference_mode()
def is_causal(model: PreTrainedModel) -> bool:
    """Whether changing a token leaves the logits of earlier positions as they were."""
    vocabulary = model.config.get_text_config().vocab_size
    ids = torch.arange(4, 12, device=model.device)[None] % vocabulary
    changed = ids.clone()
    changed[0, -1] = (changed[0, -1] + vocabulary // 2) % vocabulary
    moved_T = (model(input_ids=ids).logits - model(input_ids=changed).logits).float().abs().amax((0, 2))
    noise = max(1e-3, 4 * torch.finfo(model.dtype).eps)  # measured: 0 for causal models, 3e-3 for a tiny untrained BERT
    return float(moved_T[:-1].max()) <= noise * float(moved_T[-1])


def context_length(model: PreTrainedModel) -> int:
    """Tokens that a backbone can read; 2048 where its configuration sets no bound (ALiBi)."""
    config = model.config.get_text_config()
    return int(getattr(config, "max_position_embeddings", None) or getattr(config, "max_seq_len", None) or 2048)


def fingerprint(model: nn.Module) -> str:
    """Identity of a backbone's weights: SHA-256 over names, shapes and 64 values of each tensor, in bfloat16."""
    digest = hashlib.sha256()
    for name, parameter in sorted(model.named_parameters()):
        flat = parameter.detach().flatten()
        places = torch.linspace(0, flat.numel() - 1, 64, device=flat.device, dtype=torch.float64).long()
        digest.update(f"{name}{tuple(parameter.shape)}".encode())
        digest.update(flat[places].to(torch.bfloat16).view(torch.int16).cpu().numpy().tobytes())
    return digest.hexdigest()


def state_hash(parameters: dict[str, nn.Parameter]) -> str:
    """SHA-256 over every bit of the given parameters, to show that nothing wrote to them."""
    digest = hashlib.sha256()
    for name, parameter in sorted(parameters.items()):
        digest.update(name.encode())
        digest.update(parameter.detach().contiguous().cpu().flatten().view(torch.uint8).numpy().data)
    return digest.hexdigest()


# -- the Hub ----------------------------------------------------------------------------------------------------


def _fetch_from_hub(repo_id: str, cancel: CancelToken) -> Generator[Progress, None, Path]:
    """Download a Hub repository's weights and tokenizer into the Hub's own cache, in a thread, with progress."""
    download = _HubDownload(repo_id, cancel)
    thread = threading.Thread(target=download.run, name="hub-download", daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(0.2)
        yield Progress(f"Fetching {repo_id}", download.done / 1e6, download.total / 1e6 or None, "MB")
        if cancel.mode:
            break
    cancel.raise_if_cancelled()
    if download.error is not None:
        raise _hub_error(repo_id, download.error) from download.error
    assert download.folder is not None
    return download.folder


class _HubDownload:
    """One snapshot download whose bytes are counted through the progress bars that the Hub client makes."""

    _PATTERNS = ("*.json", "*.safetensors", "*.model", "*.txt", "*.jinja")

    def __init__(self, repo_id: str, cancel: CancelToken) -> None:
        self.repo_id = repo_id
        self.cancel = cancel
        self.done = self.total = 0.0
        self.folder: Path | None = None
        self.error: Exception | None = None

    def run(self) -> None:
        from huggingface_hub import snapshot_download
        from tqdm.auto import tqdm

        download = self

        class Counter(tqdm):  # type: ignore[type-arg,misc]
            """Counts bytes, shows nothing, and is where a running download notices a cancel."""

            def __init__(self, *args: Any, **kwargs: Any) -> None:
                kwargs.pop("name", None)
                kwargs["disable"] = False
                kwargs["file"] = _Silence()
                self._bytes = kwargs.get("unit") == "B"
                super().__init__(*args, **kwargs)
                if self._bytes:
                    download.total += self.total or 0

            def update(self, n: float | None = 1) -> bool | None:
                download.cancel.raise_if_cancelled()
                if self._bytes:
                    download.done += n or 0
                shown: bool | None = super().update(n)
                return shown

        try:
            self.folder = Path(snapshot_download(self.repo_id, allow_patterns=list(self._PATTERNS), tqdm_class=Counter))
        except Cancelled:
            pass
        except Exception as error:  # handed to the job, which tells the person
            self.error = error


class _Silence:
    def write(self, text: str) -> None:
        """Swallow."""

    def flush(self) -> None:
        """Nothing to flush."""


def _hub_error(repo_id: str, error: Exception) -> TloraError:
    kind = type(error).__name__
    if kind in ("RepositoryNotFoundError", "HFValidationError"):
        return TloraError(
            f"There is no model named {repo_id!r} on the Hugging Face Hub.",
            "Check the spelling (owner/name); a private or gated model needs `hf auth login` first.",
        )
    if kind == "GatedRepoError":
        return TloraError(f"{repo_id} is gated.", "Accept its terms on the Hub, then run `hf auth login`.")
    return TloraError(
        f"{repo_id!r} is no folder here, and the Hugging Face Hub could not be reached ({kind}).",
        "Check the spelling and the network, or choose the starter backbone, a local folder or a .gguf file.",
    )
