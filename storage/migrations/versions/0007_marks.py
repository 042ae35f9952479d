"""Marks of hazards: what lists are narrowed to."""

import sqlalchemy as sa
from alembic import op

revision = '0007'
down_revision = '0006'
branch_labels = None
depends_on = None


def upgrade() -> None:
    for mark in ('repeated', 'listed', 'supervised', 'extension_requested', 'summons_due'):
        op.add_column('hazards', sa.Column(mark, sa.Boolean(), server_default=sa.false(), nullable=False))
        is_set = sa.text(f'{mark} IS true' if op.get_bind().dialect.name == 'postgresql' else f'{mark} IS 1')
        op.create_index(f'hazards_{mark}', 'hazards', ['opened_at', 'id'], sqlite_where=is_set, postgresql_where=is_set)
