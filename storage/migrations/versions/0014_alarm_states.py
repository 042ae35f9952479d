"""The states of ISA-18.2: alarms that are not normal, and what keeps an incident quiet.

A zone's state moves to a column of another name: a worker of an older version, which would lose what it does not know, finds none and
waits until it is upgraded.
"""

import sqlalchemy as sa
from alembic import op

revision = '0014'
down_revision = '0013'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.alter_column('zone_states', 'body', new_column_name='state')
    op.add_column('incidents', sa.Column('quiet', sa.String(), server_default='', nullable=False))
    op.add_column('incidents', sa.Column('quiet_by', sa.String(), server_default='', nullable=False))
    op.add_column('incidents', sa.Column('labels', sa.Text(), server_default='[]', nullable=False))
    op.create_table('alarm_states',
    sa.Column('key', sa.String(), nullable=False),
    sa.Column('device', sa.String(), nullable=False),
    sa.Column('kind', sa.String(), nullable=False),
    sa.Column('zone', sa.String(), nullable=False),
    sa.Column('incident', sa.String(), nullable=False),
    sa.Column('state', sa.String(), nullable=False),
    sa.Column('phase', sa.String(), nullable=False),
    sa.Column('severity', sa.Integer(), nullable=False),
    sa.Column('quiet', sa.String(), nullable=False),
    sa.Column('quiet_by', sa.String(), nullable=False),
    sa.Column('since', sa.BigInteger(), nullable=False),
    sa.Column('last_at', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('key', 'device', 'kind')
    )
    op.create_index('alarm_states_by_zone', 'alarm_states', ['zone', 'since', 'device', 'kind'], unique=False)
    op.create_index(op.f('ix_alarm_states_incident'), 'alarm_states', ['incident'], unique=False)
