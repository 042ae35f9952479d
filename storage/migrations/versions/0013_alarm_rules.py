"""Alarm rules: every version of every rule; the database itself refuses to change or delete one."""

import sqlalchemy as sa
from alembic import op

revision = '0013'
down_revision = '0012'
branch_labels = None
depends_on = None

_GUARDS = {"UPDATE": "a version of an alarm rule is never changed", "DELETE": "a version of an alarm rule is never deleted"}


def upgrade() -> None:
    op.create_table('alarm_rules',
    sa.Column('revision', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('rule', sa.String(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('body', sa.Text(), nullable=False),
    sa.Column('source', sa.String(), nullable=False),
    sa.Column('change', sa.String(), nullable=False),
    sa.Column('withdrawn', sa.Boolean(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('details', sa.Text(), nullable=False),
    sa.Column('at', sa.BigInteger(), nullable=False),
    sa.Column('actor', sa.String(), nullable=False),
    sa.PrimaryKeyConstraint('revision')
    )
    op.create_index('alarm_rules_by_rule', 'alarm_rules', ['rule', 'number'], unique=True)
    if op.get_bind().dialect.name == "postgresql":
        for what, message in _GUARDS.items():
            op.execute(f"CREATE TRIGGER alarm_rules_{what.lower()} BEFORE {what} ON alarm_rules FOR EACH ROW "
                       f"EXECUTE FUNCTION refuse_change('{message}')")
        op.execute("CREATE TRIGGER alarm_rules_not_emptied BEFORE TRUNCATE ON alarm_rules FOR EACH STATEMENT "
                   "EXECUTE FUNCTION refuse_change('a version of an alarm rule is never deleted')")
        return
    for what, message in _GUARDS.items():
        op.execute(f"CREATE TRIGGER alarm_rules_{what.lower()} BEFORE {what} ON alarm_rules BEGIN SELECT RAISE(ABORT, '{message}'); END")
    # SQLite's INSERT OR REPLACE deletes a row without firing the trigger of its deletion
    op.execute("CREATE TRIGGER alarm_rules_not_replaced BEFORE INSERT ON alarm_rules "
               "WHEN EXISTS (SELECT 1 FROM alarm_rules WHERE revision = NEW.revision OR (rule = NEW.rule AND number = NEW.number)) "
               "BEGIN SELECT RAISE(ABORT, 'it is there already, and a version of an alarm rule is never changed'); END")
