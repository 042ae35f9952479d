"""The outside world to messages: HTTP bodies, cameras, the door and the forwarder."""
