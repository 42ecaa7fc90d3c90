"""The reporting warehouse: tables, migrations, loading, queries and the history that checks look back on.

Not here: any judgement of figures (`quality`).
"""
