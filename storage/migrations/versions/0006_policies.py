"""Policy packs: every version that was ever applied; the database itself refuses to change or delete one."""

import sqlalchemy as sa
from alembic import op

revision = '0006'
down_revision = '0005'
branch_labels = None
depends_on = None

_GUARDS = {"UPDATE": "a policy pack is never changed", "DELETE": "a policy pack is never deleted"}


def upgrade() -> None:
    op.create_table('policies',
    sa.Column('number', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('id', sa.String(), nullable=False),
    sa.Column('version', sa.String(), nullable=False),
    sa.Column('zh', sa.String(), nullable=False),
    sa.Column('en', sa.String(), nullable=False),
    sa.Column('body', sa.Text(), nullable=False),
    sa.Column('digest', sa.String(), nullable=False),
    sa.Column('applied_at', sa.BigInteger(), nullable=False),
    sa.Column('applied_by', sa.String(), nullable=False),
    sa.PrimaryKeyConstraint('number')
    )
    op.create_index('policies_by_version', 'policies', ['version'], unique=True)
    op.create_index('policies_by_id', 'policies', ['id', 'number'], unique=False)
    if op.get_bind().dialect.name == "postgresql":
        for what, message in _GUARDS.items():
            op.execute(f"CREATE TRIGGER policies_{what.lower()} BEFORE {what} ON policies FOR EACH ROW EXECUTE FUNCTION refuse_change('{message}')")
        op.execute("CREATE TRIGGER policies_not_emptied BEFORE TRUNCATE ON policies FOR EACH STATEMENT "
                   "EXECUTE FUNCTION refuse_change('a policy pack is never deleted')")
        return
    for what, message in _GUARDS.items():
        op.execute(f"CREATE TRIGGER policies_{what.lower()} BEFORE {what} ON policies BEGIN SELECT RAISE(ABORT, '{message}'); END")
    # SQLite's INSERT OR REPLACE deletes a row without firing the trigger of its deletion
    op.execute("CREATE TRIGGER policies_not_replaced BEFORE INSERT ON policies "
               "WHEN EXISTS (SELECT 1 FROM policies WHERE number = NEW.number OR version = NEW.version) "
               "BEGIN SELECT RAISE(ABORT, 'it is there already, and a policy pack is never changed'); END")
