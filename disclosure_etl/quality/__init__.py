"""Judging a batch of submissions: the failures, their impact, and the gate that holds blocks.

Not here: what the rules are (`schemas`), or where failures are kept (`warehouse`).
"""
