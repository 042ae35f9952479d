"""The ledger outside the database: the anchors' key, making and delivering anchors, verifying, exporting. What must not go in: rules."""
