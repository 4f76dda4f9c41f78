"""What Temporal LoRA does: training, generation, evaluation, projects on disk. No Qt.

Work is a generator of frozen events; see :mod:`tlora_gui.engine.session` for the one entry point.
"""
