"""Frames in, detections out. No I/O."""
