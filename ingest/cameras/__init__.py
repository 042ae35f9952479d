"""Cameras: files and RTSP streams in, detections out as reports to the door. Decoding runs in a process of its own."""
