"""Other ways of doing the same job, measured beside ours. Each module is a process of its own that prints one JSON object:
``readings`` done, ``seconds`` of the clock, ``cpu`` seconds of processor time. What must not go in: anything that the product uses.
"""
