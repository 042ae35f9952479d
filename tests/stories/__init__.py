"""Stories of the ledger: each row of the closed loop through the API, by role, with the rule and basis that every step shows."""
