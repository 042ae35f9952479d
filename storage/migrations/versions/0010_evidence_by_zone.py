"""The same file may be uploaded for several zones: a row for each."""

import sqlalchemy as sa
from alembic import op

revision = '0010'
down_revision = '0009'
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == 'postgresql':
        op.drop_constraint('evidence_pkey', 'evidence', type_='primary')
        op.create_primary_key('evidence_pkey', 'evidence', ['sha256', 'zone'])
        return
    op.create_table('evidence_by_zone',  # SQLite can't change a primary key: the table is made anew, and with it its guard
    sa.Column('sha256', sa.String(), nullable=False),
    sa.Column('media_type', sa.String(), nullable=False),
    sa.Column('size', sa.Integer(), nullable=False),
    sa.Column('device', sa.String(), nullable=False),
    sa.Column('zone', sa.String(), nullable=False),
    sa.Column('taken_at', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('sha256', 'zone')
    )
    op.execute("INSERT INTO evidence_by_zone (sha256, media_type, size, device, zone, taken_at) "
               "SELECT sha256, media_type, size, device, zone, taken_at FROM evidence")
    op.drop_table('evidence')
    op.rename_table('evidence_by_zone', 'evidence')
    op.execute("CREATE TRIGGER evidence_kept BEFORE DELETE ON evidence BEGIN SELECT RAISE(ABORT, 'evidence is never deleted'); END")
