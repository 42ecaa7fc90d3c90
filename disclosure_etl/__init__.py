"""The work itself, as plain Python: reading returns, judging them, loading and consolidating. No Prefect in here."""
