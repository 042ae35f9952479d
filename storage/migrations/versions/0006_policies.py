"""Policy packs: every version that was ever applied."""

import sqlalchemy as sa
from alembic import op

revision = '0006'
down_revision = '0005'
branch_labels = None
depends_on = None


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
