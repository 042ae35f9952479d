"""The benches say what they promise to say."""
