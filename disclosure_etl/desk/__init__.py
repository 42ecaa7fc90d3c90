"""The review desk: the pages on which stewards look at a month and decide, bureaus see and mend their own, and the API for uploads.

What a decision does stands in the rooms below (`decisions`, `returned`, `signing`, …); here it is asked for and shown. Not here:
any judgement of figures.
"""
