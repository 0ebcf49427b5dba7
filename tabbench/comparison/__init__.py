"""The main job: what is planned, run and judged."""
