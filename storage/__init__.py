"""SQL, outbox and relay, journal, evidence files."""
