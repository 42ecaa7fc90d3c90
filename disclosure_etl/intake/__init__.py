"""From a delivery to a submission: sources, the raw store, readers (bytes -> Document), the interpreter, templates.

Not here: whether the figures are right (`quality`), or where they are kept (`warehouse`).
"""
