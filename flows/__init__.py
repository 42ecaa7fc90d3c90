"""The clock and the door: Prefect flows, deployments and the command line. Nothing is imported here."""
