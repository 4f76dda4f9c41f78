"""Find, fetch and load a frozen causal LM from whatever a person named; device and dtype."""

from __future__ import annotations

import hashlib
import os
import platform
import threading
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers.utils import logging as transformers_logging

from tlora_gui.engine.backbones import starter
from tlora_gui.engine.backbones.fast_linear import FastLinear
from tlora_gui.engine.backbones.model_folder import in_short, not_causal, read_model
from tlora_gui.engine.protocol.cancel import CancelToken
from tlora_gui.engine.protocol.config import STARTER
from tlora_gui.engine.protocol.errors import BackboneMissing, Cancelled, TloraError, disk_is_full
from tlora_gui.engine.protocol.events import Progress
from tlora_gui.engine.protocol.sentences import say
from tlora_gui.engine.storage.disk import require_utf8


@dataclass(frozen=True, slots=True)
class Backbone:
    """A loaded backbone.

    ``name`` is what people and adapter folders call it, ``reference`` what a person typed, a path made absolute;
    ``fast`` has its linear layers' faster products.
    """

    model: PreTrainedModel
    tokenizer: Any
    reference: str
    name: str
    fast: FastLinear


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


LEAST_CONTEXT = 16
"""Tokens that a backbone must be able to read."""


def load_backbone(
    reference: str, cancel: CancelToken, device: torch.device | None = None
) -> Generator[Progress, None, Backbone]:
    """Load "starter", a local folder, a .gguf file, or a Hub id; frozen, in eval mode.

    Yields:
        Progress of fetching and loading.

    Raises:
        BackboneMissing: nothing is where the reference points, or the Hub knows no such model or is out of reach.
        TloraError: it is not a complete causal language model that transformers knows.
        Cancelled: if ``cancel`` is set on the way.
    """
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    device = device or pick_device()
    if reference == STARTER:
        name, where = starter.BACKBONE_NAME, reference
        made: Generator[Progress, None, Path] = starter.ensure_backbone(cancel)
    elif (path := local_path(reference)) is None:
        name, where = reference, reference
        made = fetch_from_hub(reference, cancel)
    elif path.is_dir():
        if not (path / "config.json").is_file():
            raise _no_model(reference, path)
        name, where = path.name, str(path)
        made = _there(path)
    elif path.suffix.lower() == ".gguf":
        name, where = path.stem, str(path)
        made = starter.ensure_converted(path, cancel)
    else:
        raise TloraError(
            say("{path} is a file and no model.", path=in_short(path)),
            say("Choose the folder it is in, or a .gguf file."),
        )
    folder = yield from made
    yield Progress(say("Loading {name}", name=name))
    model, tokenizer = read_model(folder, name, pick_dtype(device), cancel)
    try:
        model.to(device).requires_grad_(False).eval()
    except RuntimeError as error:  # torch.OutOfMemoryError, and what MPS raises instead
        raise TloraError(
            say("{name} does not fit into the memory of the {device} device.", name=name, device=device.type),
            say("Choose a smaller model."),
        ) from error
    require_causal(model, name)
    require_reads(model, name)
    cancel.raise_if_cancelled()
    return Backbone(model, tokenizer, where, name, FastLinear(model))


def local_path(reference: str) -> Path | None:
    """Where on this machine a reference points, absolute; None for what only the Hub can know.

    Raises:
        BackboneMissing: if it is a path, and nothing is there.
        TloraError: if it is neither a path nor the name of a model.
    """
    if not reference.strip():
        raise TloraError(
            say("No backbone is named."), say("Choose the starter backbone, a model folder or a .gguf file.")
        )
    shown = in_short(reference)
    if "://" in reference:
        raise TloraError(
            say("{name} is an address.", name=shown),
            say("Give the model's id on the Hub (owner/name), or a folder here."),
        )
    path = os.path.abspath(os.path.expanduser(reference))
    if os.path.exists(path):
        require_utf8(Path(path))
        return Path(path).resolve()
    like_path = reference.startswith((".", "~")) or "\\" in reference or PureWindowsPath(reference).drive
    if like_path or os.path.isabs(reference) or Path(reference).suffix.lower() == ".gguf":
        raise BackboneMissing(
            reference,
            say("{name} does not exist.", name=shown),
            say("Choose a model folder or .gguf file that is there."),
        )
    return None


def _no_model(reference: str, folder: Path) -> TloraError:
    if (folder / "adapter_config.json").is_file():
        return TloraError(
            say("{folder} holds an adapter and no model.", folder=in_short(folder)),
            say("Choose the model that it was made for."),
        )
    return BackboneMissing(
        reference,
        say("{folder} holds no model: there is no config.json.", folder=in_short(folder)),
        say("Choose a folder with a saved model."),
    )


def _there(folder: Path) -> Generator[Progress, None, Path]:
    """A folder that needs no fetching."""
    yield from ()
    return folder


def require_causal(model: PreTrainedModel, name: str) -> None:
    """Refuse a model that does not read from left to right.

    Raises:
        TloraError: if it reads both ways, or cannot read eight tokens at all.
    """
    try:
        if is_causal(model):
            return
    except Exception as error:  # encoder-decoders ask for more, others differ in what they do
        if not (model.config.is_encoder_decoder or "no attribute 'logits'" in str(error)):
            raise TloraError(
                say("{name} could not read eight tokens: {error}.", name=name, error=in_short(error)),
                say("Choose another model."),
            ) from error
    raise not_causal(name)


def require_reads(model: PreTrainedModel, name: str) -> None:
    """Refuse a model whose configuration says that it reads hardly anything.

    Raises:
        TloraError: if its context is shorter than the shortest block of a training, or no number.
    """
    try:
        tokens = context_length(model)
    except (TypeError, ValueError, OverflowError):
        tokens = 0
    if tokens < LEAST_CONTEXT:
        raise TloraError(
            say("{name} says that it reads {count} tokens at most.", name=name, count=tokens),
            say("Choose another model, or mend max_position_embeddings in its config.json."),
        )


@torch.inference_mode()
def is_causal(model: PreTrainedModel) -> bool:
    """Whether changing a token leaves the logits of earlier positions as they were."""
    vocabulary = model.config.get_text_config().vocab_size
    both_2T = (torch.arange(4, 12, device=model.device) % vocabulary).repeat(2, 1)
    both_2T[1, -1] = (both_2T[1, -1] + vocabulary // 2) % vocabulary
    moved_T = model(input_ids=both_2T).logits.float().diff(dim=0).abs().amax((0, 2))
    noise = max(1e-3, 4 * torch.finfo(model.dtype).eps)  # measured: 0 for causal models, 3e-3 for a tiny untrained BERT
    return float(moved_T[:-1].max()) <= noise * float(moved_T[-1])


def context_length(model: PreTrainedModel) -> int:
    """Tokens that a backbone can read; 2048 where its configuration sets no bound (ALiBi)."""
    config = model.config.get_text_config()
    return int(getattr(config, "max_position_embeddings", None) or getattr(config, "max_seq_len", None) or 2048)


def fingerprint(model: nn.Module) -> str:
    """Identity of a backbone's weights: SHA-256 over names, shapes and 64 values of each tensor, in bfloat16.

    The same on every device.
    """
    digest = hashlib.sha256()
    for name, parameter in sorted(model.named_parameters()):
        flat = parameter.detach().flatten()
        positions = (
            torch.linspace(0, flat.numel() - 1, 64, dtype=torch.float64).long().to(flat.device)
        )  # MPS knows no float64
        digest.update(f"{name}{tuple(parameter.shape)}".encode())
        digest.update(flat[positions].cpu().to(torch.bfloat16).view(torch.int16).numpy().tobytes())
    return digest.hexdigest()


def state_hash(parameters: Mapping[str, Tensor]) -> str:
    """SHA-256 over every bit of the given parameters, to show that nothing wrote to them."""
    digest = hashlib.sha256()
    for name, parameter in sorted(parameters.items()):
        digest.update(name.encode())
        digest.update(parameter.detach().contiguous().cpu().flatten().view(torch.uint8).numpy().data)
    return digest.hexdigest()


# -- the Hub ----------------------------------------------------------------------------------------------------


def fetch_from_hub(
    repo_id: str,
    cancel: CancelToken,
    patterns: Sequence[str] = ("*.json", "*.safetensors", "*.model", "*.txt", "*.jinja"),
) -> Generator[Progress, None, Path]:
    """Download a Hub repository's files of these patterns into the Hub's own cache, in a thread, with progress; weights
    and tokenizer if no others are named.

    Raises:
        TloraError: if they cannot be had.
        Cancelled: if ``cancel`` is set on the way.
    """
    download = _HubDownload(repo_id, cancel, patterns)
    thread = threading.Thread(target=download.run, name="hub-download", daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(0.2)
        yield Progress(
            say("Fetching {name}", name=repo_id), download.done / 1e6, download.total / 1e6 or None, say("MB")
        )
        if cancel.mode:
            break
    cancel.raise_if_cancelled()
    if download.error is not None:
        raise hub_error(repo_id, download.error, download.done > 0) from download.error
    assert download.folder is not None
    return download.folder


class _HubDownload:
    """One snapshot download whose bytes are counted through the progress bars that the Hub client makes."""

    def __init__(self, repo_id: str, cancel: CancelToken, patterns: Sequence[str]) -> None:
        self.repo_id = repo_id
        self.patterns = list(patterns)
        self.cancel = cancel
        self.done = self.total = 0.0
        self.folder: Path | None = None
        self.error: Exception | None = None

    def run(self) -> None:
        from huggingface_hub import snapshot_download
        from tqdm.auto import tqdm

        download = self

        class Counter(tqdm):  # type: ignore[misc]
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
            self.folder = Path(snapshot_download(self.repo_id, allow_patterns=self.patterns, tqdm_class=Counter))
        except Cancelled:
            pass
        except Exception as error:  # handed to the job, which shows it  # noqa: BLE001
            self.error = error


class _Silence:
    def write(self, text: str) -> None:
        """Swallow."""

    def flush(self) -> None:
        """Nothing to flush."""


def hub_error(repo_id: str, error: Exception, begun: bool) -> TloraError:
    """The refusal for whatever a download raised; ``begun`` if some of it had arrived."""
    from huggingface_hub import constants
    from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, HFValidationError, RepositoryNotFoundError

    shown = in_short(repo_id)
    if disk_is_full(error):
        return TloraError(
            say("The disk that holds {folder} is full.", folder=constants.HF_HUB_CACHE),
            say("Free some room, or set HF_HUB_CACHE."),
        )
    if isinstance(error, (PermissionError, NotADirectoryError, FileExistsError)):
        return TloraError(
            say("{folder} cannot be written to.", folder=constants.HF_HUB_CACHE),
            say("Set HF_HUB_CACHE to a folder of yours."),
        )
    status = getattr(getattr(error, "response", None), "status_code", None)
    if isinstance(error, GatedRepoError) or status == 403:
        return TloraError(
            say("{name} is gated.", name=shown), say("Accept its terms on the Hub, then run `hf auth login`.")
        )
    if isinstance(error, (RepositoryNotFoundError, HFValidationError)):
        return BackboneMissing(
            repo_id,
            say("There is no model named {name!r} on the Hugging Face Hub.", name=shown),
            say("Check the spelling (owner/name); a private or gated model needs `hf auth login` first."),
        )
    if begun:
        return TloraError(
            say("The download of {name} broke off ({error}).", name=shown, error=type(error).__name__),
            say("Try again; what has arrived is kept."),
        )
    if isinstance(error, HfHubHTTPError) and status:
        return TloraError(
            say("The Hugging Face Hub answered {name!r} with error {status}.", name=shown, status=status),
            say("Try again later."),
        )
    return BackboneMissing(
        repo_id,
        say(
            "{name!r} is no folder here, and the Hugging Face Hub could not be reached ({error}).",
            name=shown,
            error=type(error).__name__,
        ),
        say("Check the spelling and the network, or choose the starter backbone, a local folder or a .gguf file."),
    )
