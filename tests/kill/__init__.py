"""Kill tests: nothing accepted is lost, nothing happens twice."""
