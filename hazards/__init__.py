"""The pure domain: messages, zones, alarm state, merging. No I/O, no clock: now is an argument."""
