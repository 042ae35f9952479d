"""Clocks: when a hazard wants to be looked at, when it was found overdue; periodic duties."""

import sqlalchemy as sa
from alembic import op

revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('hazards', sa.Column('overdue_at', sa.BigInteger(), nullable=True))
    op.add_column('hazards', sa.Column('wake_at', sa.BigInteger(), nullable=True))
    op.create_index(op.f('ix_hazards_wake_at'), 'hazards', ['wake_at'], unique=False)
    op.create_table('duties',
    sa.Column('id', sa.String(), nullable=False),
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('post', sa.String(), nullable=False),
    sa.Column('body', sa.String(), nullable=False),
    sa.Column('period', sa.String(), nullable=False),
    sa.Column('due_at', sa.BigInteger(), nullable=False),
    sa.Column('done_at', sa.BigInteger(), nullable=True),
    sa.Column('done_by', sa.String(), nullable=True),
    sa.Column('note', sa.Text(), server_default='', nullable=False),
    sa.Column('fired', sa.Text(), server_default='[]', nullable=False),
    sa.Column('wake_at', sa.BigInteger(), nullable=True),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index('duties_newest', 'duties', ['due_at', 'id'], unique=False)
    op.create_index(op.f('ix_duties_wake_at'), 'duties', ['wake_at'], unique=False)
