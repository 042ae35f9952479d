"""Patrol rounds over cameras (在线远程巡查): who looked at which, when, and what they judged."""

import sqlalchemy as sa
from alembic import op

revision = '0017'
down_revision = '0016'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('patrol_rounds',
    sa.Column('id', sa.String(), nullable=False),
    sa.Column('seconds', sa.Integer(), nullable=False),
    sa.Column('started_by', sa.String(), nullable=False),
    sa.Column('started_at', sa.BigInteger(), nullable=False),
    sa.Column('ended_by', sa.String(), nullable=True),
    sa.Column('ended_at', sa.BigInteger(), nullable=True),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index('patrol_rounds_by_time', 'patrol_rounds', ['started_at', 'id'], unique=False)
    op.create_table('patrol_looks',
    sa.Column('round', sa.String(), nullable=False),
    sa.Column('camera', sa.String(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('zone', sa.String(), nullable=False),
    sa.Column('judgement', sa.String(), nullable=True),
    sa.Column('note', sa.Text(), nullable=True),
    sa.Column('pictured', sa.Boolean(), nullable=True),
    sa.Column('judged_by', sa.String(), nullable=True),
    sa.Column('judged_at', sa.BigInteger(), nullable=True),
    sa.PrimaryKeyConstraint('round', 'camera')
    )
    op.create_index(op.f('ix_patrol_looks_zone'), 'patrol_looks', ['zone'], unique=False)
