"""Daily anchors; the record and the anchors refuse change and deletion in the database itself."""

import sqlalchemy as sa
from alembic import op

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None

# (trigger, table, when, condition on the row or "", message)
GUARDS = (
    ("hazard_events_unchanged", "hazard_events", "UPDATE", "", "the record is never changed"),
    ("hazard_events_kept", "hazard_events", "DELETE", "", "the record is never deleted"),
    ("hazards_kept", "hazards", "DELETE", "", "a hazard is never deleted"),
    ("evidence_kept", "evidence", "DELETE", "", "evidence is never deleted"),
    ("anchors_unchanged", "anchors", "UPDATE", "", "an anchor is never changed"),
    ("anchors_kept", "anchors", "DELETE", "", "an anchor is never deleted"),
    ("anchor_heads_unchanged", "anchor_heads", "UPDATE", "", "an anchor is never changed"),
    ("anchor_heads_kept", "anchor_heads", "DELETE", "EXISTS (SELECT 1 FROM anchors WHERE number = OLD.anchor)", "an anchor is never changed"),
    ("anchor_heads_sealed", "anchor_heads", "INSERT", "EXISTS (SELECT 1 FROM anchors WHERE number = NEW.anchor)", "an anchor is never changed"),
)
WHOLE = ("hazard_events", "hazards", "evidence", "anchors", "anchor_heads")
# SQLite's INSERT OR REPLACE deletes a row without firing the trigger of its deletion
REPLACED = {
    "hazard_events": "hazard = NEW.hazard AND (number = NEW.number OR command_id = NEW.command_id)",
    "anchors": "number = NEW.number OR day = NEW.day",
}


def upgrade() -> None:
    op.create_table('anchors',
    sa.Column('number', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('day', sa.String(), nullable=False),
    sa.Column('body', sa.LargeBinary(), nullable=False),
    sa.Column('digest', sa.String(), nullable=False),
    sa.Column('signature', sa.String(), nullable=False),
    sa.Column('handovers', sa.Text(), nullable=False),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('number'),
    sa.UniqueConstraint('day')
    )
    op.create_table('anchor_heads',
    sa.Column('anchor', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('place', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('hazard', sa.String(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('digest', sa.String(), nullable=False),
    sa.PrimaryKeyConstraint('anchor', 'place')
    )
    op.create_index('anchor_heads_by_hazard', 'anchor_heads', ['hazard', 'number'], unique=True)
    op.create_table('anchor_deliveries',
    sa.Column('anchor', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('place', sa.String(), nullable=False),
    sa.Column('attempts', sa.Integer(), server_default='0', nullable=False),
    sa.Column('tried_at', sa.BigInteger(), nullable=True),
    sa.Column('delivered_at', sa.BigInteger(), nullable=True),
    sa.Column('trouble', sa.Text(), server_default='', nullable=False),
    sa.PrimaryKeyConstraint('anchor', 'place')
    )
    (_guard_postgresql if op.get_bind().dialect.name == "postgresql" else _guard_sqlite)()


def _guard_sqlite() -> None:
    for name, table, what, condition, message in GUARDS:
        when = f"WHEN {condition} " if condition else ""
        op.execute(f"CREATE TRIGGER {name} BEFORE {what} ON {table} {when}BEGIN SELECT RAISE(ABORT, '{message}'); END")
    for table, same in REPLACED.items():
        op.execute(f"CREATE TRIGGER {table}_not_replaced BEFORE INSERT ON {table} WHEN EXISTS (SELECT 1 FROM {table} WHERE {same}) "
                   f"BEGIN SELECT RAISE(ABORT, 'it is there already, and the record is never changed'); END")


def _guard_postgresql() -> None:
    op.execute("CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
               "$$ BEGIN RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'restrict_violation'; END $$")
    for name, table, what, condition, message in GUARDS:
        if condition:  # a subquery can't stand in a trigger's WHEN
            row = "OLD" if what == "DELETE" else "NEW"
            op.execute(f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS "
                       f"$$ BEGIN IF {condition} THEN RAISE EXCEPTION '{message}' USING ERRCODE = 'restrict_violation'; END IF; "
                       f"RETURN {row}; END $$")
            op.execute(f"CREATE TRIGGER {name} BEFORE {what} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()")
        else:
            op.execute(f"CREATE TRIGGER {name} BEFORE {what} ON {table} FOR EACH ROW EXECUTE FUNCTION refuse_change('{message}')")
    for table in WHOLE:
        op.execute(f"CREATE TRIGGER {table}_not_emptied BEFORE TRUNCATE ON {table} FOR EACH STATEMENT "
                   f"EXECUTE FUNCTION refuse_change('the record is never deleted')")
