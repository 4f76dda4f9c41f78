"""Importing libraries as large as torch and transformers."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def lasting_imports() -> Iterator[None]:
    """What is imported within stays for good, and the garbage collector never looks at it.

    Each full pass over torch and transformers takes 0.2 s, in which Python's lock, and so the window, is held; six come
    while they are imported.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
