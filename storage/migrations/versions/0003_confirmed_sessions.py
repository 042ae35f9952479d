"""Sessions know when the person last proved who it is."""

import sqlalchemy as sa
from alembic import op

revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('sessions', sa.Column('confirmed_at', sa.BigInteger(), nullable=True))
