"""MQTT 3.1.1 and 5: topics and payloads to measurements (sans-I/O), and the client that acknowledges what is on disk."""
