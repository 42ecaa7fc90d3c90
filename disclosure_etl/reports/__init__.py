"""What is made of consolidated figures for people: the bureau × indicator table and what follows it.

Not here: computing a figure; a report only shows what a consolidation froze.
"""
