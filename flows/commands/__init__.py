"""The commands of `disclosure-etl`, grouped by who uses them. Heavy imports stand inside the commands that need them."""
