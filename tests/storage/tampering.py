"""What somebody with the database's own password can do: lift the guards, then change what is never changed."""

from sqlalchemy import Connection, text

GUARDED = ("hazard_events", "hazards", "evidence", "anchors", "anchor_heads", "policies", "alarm_rules")


def lift_guards(connection: Connection) -> None:
    """Take the triggers away that refuse change and deletion."""
    if connection.dialect.name == "postgresql":
        for table in GUARDED:
            connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
        return
    names = connection.scalars(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).all()
    for name in names:
        connection.execute(text(f'DROP TRIGGER "{name}"'))
