"""The ledger of hazards (隐患): the life of one, who may do what by which rule, its clocks, its record. Pure.

What must not go in: SQL, HTTP, files, a clock of its own.
"""
