"""``tlora``: all that the window does, by the same session and jobs, without any Qt.

:mod:`tlora_gui.headless.verbs` is the table of verbs; importing it imports no torch, so that help comes at once.
"""
