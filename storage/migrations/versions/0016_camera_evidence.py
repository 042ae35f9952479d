"""What cameras' alarms leave behind: pictures and clips with their signed statements, and holds that keep them; how each camera is."""

import sqlalchemy as sa
from alembic import op

revision = '0016'
down_revision = '0015'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('camera_evidence',
    sa.Column('device', sa.String(), nullable=False),
    sa.Column('kind', sa.String(), nullable=False),
    sa.Column('onset', sa.BigInteger(), nullable=False),
    sa.Column('role', sa.String(), nullable=False),
    sa.Column('sha256', sa.String(), nullable=False),
    sa.Column('media_type', sa.String(), nullable=False),
    sa.Column('size', sa.Integer(), nullable=False),
    sa.Column('zone', sa.String(), nullable=False),
    sa.Column('begins', sa.BigInteger(), nullable=False),
    sa.Column('ends', sa.BigInteger(), nullable=False),
    sa.Column('signature', sa.String(), nullable=False),
    sa.Column('public_key', sa.String(), nullable=False),
    sa.Column('kept_at', sa.BigInteger(), nullable=False),
    sa.Column('cited', sa.Boolean(), nullable=False),
    sa.Column('removed_at', sa.BigInteger(), nullable=True),
    sa.Column('removed_for', sa.String(), nullable=True),
    sa.PrimaryKeyConstraint('device', 'kind', 'onset', 'role')
    )
    op.create_index(op.f('ix_camera_evidence_sha256'), 'camera_evidence', ['sha256'], unique=False)
    there = sa.text('removed_at IS NULL')
    op.create_index('camera_evidence_oldest', 'camera_evidence', ['begins'], sqlite_where=there, postgresql_where=there)
    op.create_table('evidence_holds',
    sa.Column('id', sa.String(), nullable=False),
    sa.Column('zone', sa.String(), nullable=False),
    sa.Column('begins', sa.BigInteger(), nullable=False),
    sa.Column('ends', sa.BigInteger(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('entered_by', sa.String(), nullable=False),
    sa.Column('entered_at', sa.BigInteger(), nullable=False),
    sa.Column('lifted_at', sa.BigInteger(), nullable=True),
    sa.Column('lifted_by', sa.String(), nullable=True),
    sa.Column('lifted_reason', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index(op.f('ix_evidence_holds_zone'), 'evidence_holds', ['zone'], unique=False)
    op.create_table('camera_statuses',
    sa.Column('camera', sa.String(), nullable=False),
    sa.Column('noted_at', sa.BigInteger(), nullable=False),
    sa.Column('body', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('camera')
    )
