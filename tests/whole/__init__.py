"""The main job, end to end, on the real parts."""
