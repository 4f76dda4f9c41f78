"""A stranger's model folder or .gguf file -> model and tokenizer, complete and finite, or one sentence why not.

Nothing of it is run or asked about: no code of its own, no kernels that it names, no pickles beyond plain tensors.
"""

from __future__ import annotations

import copy
import json
import os
import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
import transformers
from safetensors import SafetensorError
from torch import nn
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, dynamic_module_utils
from transformers.models.auto.configuration_auto import CONFIG_MAPPING

from tlora_gui.engine.protocol.cancel import CancelToken
from tlora_gui.engine.protocol.errors import Cancelled, TloraError, cause
from tlora_gui.engine.protocol.sentences import Sentence, message_of, say
from tlora_gui.engine.storage.disk import open_tensors

_STRANGER: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}

dynamic_module_utils.TIME_OUT_REMOTE_CODE = 0  # wherever transformers does not hand that "no" on, it refuses unasked

_WEIGHTS = ("model.safetensors", "model.safetensors.index.json", "pytorch_model.bin", "pytorch_model.bin.index.json")
"""Files that transformers looks for, in its order."""

_SMALL = (
    "config.json",
    "generation_config.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
)

_TOKENIZERS = ("tokenizer.json", "tokenizer.model", "vocab.json", "vocab.txt", "spiece.model", "tekken.json")

_PARTS = 1024
"""Layers or experts that a configuration may ask for, however few tensors there are."""

_SPARE = 2**26
"""Values that a model may have beside those in its files: masks, tables of angles."""


def read_model(folder: Path, name: str, dtype: torch.dtype, cancel: CancelToken) -> tuple[PreTrainedModel, Any]:
    """The causal language model in a folder, and its tokenizer.

    Raises:
        TloraError: whatever keeps it from being just what was saved.
        Cancelled: if ``cancel`` is set on the way.
    """
    try:
        _refuse_code(folder, name)
        return _read(folder, name, dtype, cancel, _tensor_sizes(folder, name))
    except (TloraError, Cancelled):
        raise
    except Exception as error:  # readers of a foreign format raise anything over a broken file
        raise _refusal(folder, name, error) from error


def read_gguf(gguf: Path, cancel: CancelToken) -> tuple[PreTrainedModel, Any]:
    """The causal language model in a .gguf file, in float32, and its tokenizer.

    Raises:
        TloraError: whatever keeps it from being just what was saved.
        Cancelled: if ``cancel`` is set on the way.
    """
    try:
        return _read(gguf.parent, gguf.name, torch.float32, cancel, _gguf_sizes(gguf), gguf_file=gguf.name)
    except (TloraError, Cancelled):
        raise
    except Exception as error:
        raise TloraError(
            say("{name} could not be read as a GGUF model: {error}.", name=gguf.name, error=in_short(error)),
            say("Check that the file is complete and of an architecture that transformers knows."),
        ) from error


def _read(
    folder: Path, name: str, dtype: torch.dtype, cancel: CancelToken, sizes: list[int], **source: str
) -> tuple[PreTrainedModel, Any]:
    config = AutoConfig.from_pretrained(folder, **source, **_STRANGER)
    for part in (config, *(getattr(config, key) for key in config.sub_configs)):
        part._attn_implementation = None  # a name that stands here can fetch somebody's kernel and run it
        part.__dict__.pop("transformers_weights", None)  # nor does a folder say which file elsewhere is read
    _refuse_size(config, name, sizes)
    cancel.raise_if_cancelled()
    model, loaded = AutoModelForCausalLM.from_pretrained(
        folder,
        config=config,
        dtype=dtype,
        weights_only=True,
        output_loading_info=True,
        ignore_mismatched_sizes=True,  # refused below, by name
        **source,
        **_STRANGER,
    )
    _refuse_gaps(model, name, loaded)
    require_finite(model, name)
    cancel.raise_if_cancelled()
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, **(source or {"config": config}), **_STRANGER)
        tokenizer("a b", verbose=False)  # a folder may say of it what only fails when it is used
    except Exception as error:
        raise _no_tokenizer(folder, name, error) from error
    require_own_tokenizer(tokenizer, model, name)
    return model, tokenizer


# -- what a model must be ---------------------------------------------------------------------------------------


def require_finite(model: nn.Module, name: str) -> None:
    """Refuse weights that hold NaN or infinity.

    Raises:
        TloraError: naming the first such tensor.
    """
    for key, parameter in model.named_parameters():
        if parameter.dtype in (torch.float32, torch.bfloat16, torch.float16) and parameter.numel():
            low, high = parameter.detach().aminmax()
            if not (torch.isfinite(low) and torch.isfinite(high)):
                raise TloraError(
                    say(
                        "{name} cannot be used: its weights hold NaN or infinity (in {key}).", name=name, key=_cut(key)
                    ),
                    say("Fetch the model anew, or choose another."),
                )


def require_own_tokenizer(tokenizer: Any, model: PreTrainedModel, name: str) -> None:
    """Refuse a tokenizer that was made for another model. (Single added tokens that it lacks are read as plain text.)

    Raises:
        TloraError: naming what the model has no row for.
    """
    rows = model.get_input_embeddings().weight.shape[0]
    for role in ("bos_token_id", "eos_token_id"):
        number = getattr(model.config.get_text_config(), role, None)
        if isinstance(number, int) and not 0 <= number < rows:
            raise _damaged(
                name,
                say(
                    "its config.json says {role}: {number}, and the model has {rows} tokens",
                    role=role,
                    number=str(number),
                    rows=rows,
                ),
            )
    beyond = {token for token, number in tokenizer.get_vocab().items() if number >= rows}
    if beyond & {tokenizer.bos_token, tokenizer.eos_token} or beyond - tokenizer.get_added_vocab().keys():
        raise TloraError(
            say("The tokenizer of {name} has tokens that the model lacks: {tokens}.", name=name, tokens=_some(beyond)),
            say("Choose a model with the tokenizer that it was trained with."),
        )


# -- before it is read ------------------------------------------------------------------------------------------


def _refuse_code(folder: Path, name: str) -> None:
    """Look at the small files: each must be readable, and none may ask for code."""
    configs = {}
    for file in _SMALL:
        if os.path.lexists(folder / file):
            configs[file] = _json(folder / file, name)
    if (folder / "tokenizer.json").exists() and not (folder / "tokenizer.json").is_file():
        raise _damaged(name, say("its {file} is no file", file="tokenizer.json"))  # a pipe would be waited for
    kind = configs["config.json"].get("model_type")
    if not isinstance(kind, str):
        raise _damaged(name, say("its config.json names no model_type"))
    if kind not in CONFIG_MAPPING:
        raise _needs_code(
            name,
            say(
                "transformers {version} knows no model of the type {kind!r}",
                version=transformers.__version__,
                kind=_cut(kind),
            ),
        )
    if (folder / "custom_generate").exists():
        raise _needs_code(name, say("it has a custom_generate folder"))
    tokenizer = configs.get("tokenizer_config.json", {})
    kind = tokenizer.get("tokenizer_class")
    if tokenizer.get("auto_map") and isinstance(kind, str) and not hasattr(transformers, kind):
        raise _needs_code(
            name,
            say(
                "transformers {version} knows no tokenizer {kind!r}", version=transformers.__version__, kind=_cut(kind)
            ),
        )


def _tensor_sizes(folder: Path, name: str) -> list[int]:
    """Values in each tensor that the folder's files hold; a pickle's, that are not known, as its bytes."""
    found = next((folder / file for file in _WEIGHTS if (folder / file).is_file()), None)
    if found is None:
        raise _damaged(name, say("it has no weights (model.safetensors)"))
    files = [found]
    if found.suffix == ".json":
        listed = _json(found, name).get("weight_map")
        if not isinstance(listed, dict) or not all(isinstance(file, str) for file in listed.values()):
            raise _damaged(name, say("its {file} lists no files", file=found.name))
        files = [folder / Path(file).name for file in sorted(set(listed.values()))]
    sizes: list[int] = []
    for file in files:
        if not file.is_file():
            raise _damaged(name, say("its {file} is missing", file=_cut(file.name)))
        if file.suffix != ".safetensors":
            sizes.append(file.stat().st_size)
            continue
        try:
            with open_tensors(file) as tensors:
                sizes += [_product(tensors.get_slice(key).get_shape()) for key in tensors.keys()]  # noqa: SIM118
        except SafetensorError as error:
            raise _damaged(name, say("its {file} is cut short or no safetensors file", file=_cut(file.name))) from error
    return sizes


def _gguf_sizes(gguf: Path) -> list[int]:
    """Values in each tensor of a .gguf file that is whole in itself."""
    from gguf import GGUFReader

    reader = GGUFReader(gguf)
    parts = _gguf_number(reader, "split.count")
    if parts > 1 or re.search(r"-\d{5}-of-\d{5}\.gguf$", gguf.name):
        raise TloraError(
            say("{name} is one part of a split model, and the other parts are needed with it.", name=gguf.name),
            say("Join them with `llama-gguf-split --merge`, or choose a .gguf that is one file."),
        )
    architecture = reader.fields["general.architecture"].contents()
    declared = _gguf_number(reader, f"{architecture}.block_count")
    held = {int(found[1]) for tensor in reader.tensors if (found := re.match(r"blk\.(\d+)\.", tensor.name))}
    if len(held) != declared or max(held, default=-1) != declared - 1:
        raise TloraError(
            say(
                "{name} is incomplete: it says that it has {declared} blocks, and holds {held}.",
                name=gguf.name,
                declared=declared,
                held=len(held),
            ),
            say("Fetch the file anew, or choose another."),
        )
    return [int(tensor.n_elements) for tensor in reader.tensors]


def _gguf_number(reader: Any, key: str) -> int:
    field = reader.fields.get(key)
    return int(field.contents()) if field else 0


def _refuse_size(config: Any, name: str, sizes: list[int]) -> None:
    """Keep a configuration from asking for a model that its files cannot fill, before memory is taken for it."""
    for key, value in _numbers(config.to_dict()):
        if re.search("layer|expert|block", key) and value > max(_PARTS, len(sizes)):
            raise _damaged(
                name,
                say(
                    "its config.json says {key}: {value:.3g}, and its files hold {count} tensors",
                    key=_cut(key),
                    value=value,
                    count=len(sizes),
                ),
            )
    with torch.device("meta"):
        described = AutoModelForCausalLM.from_config(copy.deepcopy(config), trust_remote_code=False)
    values = sum(tensor.numel() for tensor in (*described.parameters(), *described.buffers()))
    packed = 16 if getattr(config, "quantization_config", None) else 2
    if values > packed * sum(sizes) + _SPARE:
        raise _damaged(
            name,
            say(
                "its config.json describes a model of {values:.2g} values, and its files hold {held:.2g}",
                values=values,
                held=sum(sizes),
            ),
        )


def _numbers(fields: dict[str, Any]) -> Iterator[tuple[str, int]]:
    for key, value in fields.items():
        if isinstance(value, dict):
            yield from _numbers(value)
        elif isinstance(value, int):
            yield str(key), value


# -- refusals ---------------------------------------------------------------------------------------------------


def _refuse_gaps(model: PreTrainedModel, name: str, loaded: dict[str, Any]) -> None:
    """Refuse what transformers fills with random weights, or leaves unread, with no more than a remark."""
    quantised = _quantisation(model.config.to_dict())
    gaps = any(loaded[f"{kind}_keys"] for kind in ("missing", "mismatched", "unexpected"))
    if gaps and quantised not in ("", "gguf"):
        raise _is_quantised(name, quantised)
    if loaded["missing_keys"]:
        raise TloraError(
            say("{name} is incomplete: it lacks {names}.", name=name, names=_some(loaded["missing_keys"])),
            say("Fetch the model anew, or choose another; whatever lacks would be random."),
        )
    if loaded["mismatched_keys"]:
        key, stored, wanted = min(loaded["mismatched_keys"], key=str)
        raise _damaged(
            name,
            say(
                "{key} has the shape {stored}, and its config.json asks for {wanted}",
                key=_cut(key),
                stored=tuple(stored),
                wanted=tuple(wanted),
            ),
        )
    if loaded["unexpected_keys"]:
        raise _damaged(
            name,
            say(
                "{type} as its config.json describes it has no place for {names}",
                type=type(model).__name__,
                names=_some(loaded["unexpected_keys"]),
            ),
        )


def _refusal(folder: Path, name: str, error: Exception) -> TloraError:
    """One sentence for whatever a loader raised: the folder's own files tell what is wrong."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError) or "allocate memory" in str(error):
        return TloraError(
            say("There is too little memory for {name}.", name=name),
            say("Close other programs, or choose a smaller model."),
        )
    if quantised := _quantisation(_json(folder / "config.json", name)):
        return _is_quantised(name, quantised)
    if "Unrecognized configuration class" in str(error) or "AutoModelForCausalLM" in str(error):
        return not_causal(name)
    if "custom code" in str(error):
        return _needs_code(name, say("its {file} names it", file="config.json"))
    unknown = isinstance(error, KeyError)  # says no more than the key: an activation, a kind of position
    return _damaged(name, say("transformers knows no {what}", what=in_short(error)) if unknown else in_short(error))


def _no_tokenizer(folder: Path, name: str, error: Exception) -> TloraError:
    there = [file for file in _TOKENIZERS if (folder / file).is_file()]
    lacking = [package for package, module in _READERS.items() if find_spec(module) is None]
    if there and there[0].endswith(".model") and lacking:
        return TloraError(
            say(
                "{name} has its tokenizer as {file} only, which cannot be read without {packages}.",
                name=name,
                file=there[0],
                packages=" and ".join(lacking),
            ),
            say(
                "Run `pip install {packages}`, or add the model's tokenizer.json to the folder.",
                packages=" ".join(lacking),
            ),
        )
    if not there:
        return _damaged(name, say("it has no tokenizer (tokenizer.json)"))
    if "custom code" in str(error):
        return _needs_code(name, say("its {file} names it", file="tokenizer_config.json"))
    if there[0].endswith(".json"):
        try:
            _json(folder / there[0], name)
        except TloraError as damage:
            return damage
    return _damaged(name, say("its tokenizer ({file}) cannot be read: {error}", file=there[0], error=in_short(error)))


_READERS = {"sentencepiece": "sentencepiece", "protobuf": "google"}
"""Packages that read a SentencePiece tokenizer, and their modules."""


def not_causal(name: str) -> TloraError:
    """The refusal of a model that reads both ways or has no next-token head."""
    return TloraError(
        say("{name} is not a causal language model, so it cannot write text token by token.", name=name),
        say("Choose a decoder model such as Llama, Qwen, GPT-2 or SmolLM."),
    )


def _needs_code(name: str, why: str) -> TloraError:
    return TloraError(
        say("{name} needs code of its own, which is never run here: {why}.", name=name, why=why),
        say("Choose a model of a kind that transformers knows."),
    )


def _is_quantised(name: str, method: str) -> TloraError:
    return TloraError(
        say("{name} is quantised with {method}, which cannot be read here.", name=name, method=method),
        say("Choose the full-precision model that it was made from, or a .gguf file of it."),
    )


def _damaged(name: str, what: str) -> TloraError:
    return TloraError(
        say("{name} could not be loaded: {what}.", name=name, what=what),
        say("Check that the folder holds a complete causal language model with its tokenizer."),
    )


def _quantisation(config: dict[str, Any]) -> str:
    """The method that a configuration says its weights are quantised with; "" if none."""
    method = config.get("quantization_config") or config.get("compression_config")
    method = method.get("quant_method") if isinstance(method, dict) else getattr(method, "quant_method", method)
    return _cut(str(getattr(method, "value", method) or say("an unnamed method"))) if method else ""


def _json(path: Path, name: str) -> dict[str, Any]:
    if not path.is_file():  # a pipe would be waited for
        raise _damaged(name, say("its {file} is no file", file=path.name))
    try:
        found = json.loads(path.read_bytes())
    except OSError as error:
        raise _damaged(
            name, say("its {file} cannot be read ({reason})", file=path.name, reason=cause(error))
        ) from error
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise _damaged(name, say("its {file} is not a JSON object", file=path.name))
    return found


def in_short(what: object) -> str:
    """What an error says or a person typed, fit to stand in a sentence."""
    message = message_of(what) if isinstance(what, Exception) else str(what)
    if isinstance(message, Sentence):
        return message
    return _cut((message.strip().splitlines() or [type(what).__name__])[0].rstrip(" .:"), 160)


def _some(names: set[str]) -> str:
    shown = ", ".join(_cut(name) for name in sorted(names)[:3])
    return shown if len(names) <= 3 else say("{names} and {count:,} more", names=shown, count=len(names) - 3)


def _cut(text: str, most: int = 80) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _product(shape: list[int]) -> int:
    return torch.Size(shape).numel()
