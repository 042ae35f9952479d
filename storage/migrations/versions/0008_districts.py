"""People and tokens of a district."""

import sqlalchemy as sa
from alembic import op

revision = '0008'
down_revision = '0007'
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ('users', 'tokens'):
        op.add_column(table, sa.Column('district', sa.String(), nullable=True))
