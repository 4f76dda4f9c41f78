"""Clients that are shut down after each test, with no thread left behind and no complaint from Qt."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from PySide6.QtCore import QMessageLogContext, QtMsgType, qInstallMessageHandler
from PySide6.QtWidgets import QApplication

from tlora_gui.worker.engine_client import EngineClient
from tlora_gui.worker.engine_worker import SessionLike

MakeClient = Callable[[Callable[[], SessionLike]], EngineClient]


@pytest.fixture(autouse=True)
def no_complaint_from_qt(qapp: QApplication) -> Iterator[None]:
    """Qt tells misuse of threads and timers in warnings."""
    heard: list[str] = []

    def hear(kind: QtMsgType, context: QMessageLogContext, message: str) -> None:
        if kind not in (QtMsgType.QtDebugMsg, QtMsgType.QtInfoMsg):
            heard.append(message)

    before = qInstallMessageHandler(hear)
    yield
    qInstallMessageHandler(before)
    assert heard == []


@pytest.fixture
def make_client(no_complaint_from_qt: None) -> Iterator[MakeClient]:
    """Makes clients, not started yet."""
    clients: list[EngineClient] = []

    def make(make_session: Callable[[], SessionLike]) -> EngineClient:
        clients.append(EngineClient(make_session))
        return clients[-1]

    yield make
    for client in clients:
        client.shutdown()
        assert not client.engine_thread.isRunning()
