"""Indexes of the ledger's lists hold all that a list is narrowed to."""

import sqlalchemy as sa
from alembic import op

revision = '0009'
down_revision = '0008'
branch_labels = None
depends_on = None

MARKS = ('repeated', 'listed', 'supervised', 'extension_requested', 'summons_due')
NARROWED = ('state', 'grade', 'due_at', 'zone', 'enterprise', *MARKS)
FIRST = {'newest': (), 'by_state': ('state',), 'by_zone': ('zone',), 'by_enterprise': ('enterprise',)}


def upgrade() -> None:
    postgres = op.get_bind().dialect.name == 'postgresql'
    for name, first in (FIRST | dict.fromkeys(MARKS, ())).items():
        columns = [*first, 'opened_at', 'id', *(n for n in NARROWED if n not in first)]
        is_set = sa.text(f'{name} IS true' if postgres else f'{name} IS 1') if name in MARKS else None
        op.drop_index(f'hazards_{name}', 'hazards')
        op.create_index(f'hazards_{name}', 'hazards', columns, sqlite_where=is_set, postgresql_where=is_set)
