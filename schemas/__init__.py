"""What a correct submission is: periods, errors, the records that travel, forms, the constraint table, pandera schemas.

Nothing here reads a file of a bureau, opens a database or knows of a schedule.
"""
