"""What is declared of zones: permits, calibration, shutdowns, key periods; and the measures of the hazards that are there already."""

import msgspec
import sqlalchemy as sa
from alembic import op

from hazards.ledger.hazard import Hazard
from storage.declaration_rows import body_of, columns_of
from storage.stop_orders import declaration_of

revision = '0012'
down_revision = '0011'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('declarations',
    sa.Column('id', sa.String(), nullable=False),
    sa.Column('kind', sa.String(), nullable=False),
    sa.Column('zone', sa.String(), nullable=False),
    sa.Column('enterprise', sa.String(), nullable=True),
    sa.Column('state', sa.String(), nullable=False),
    sa.Column('starts_at', sa.BigInteger(), nullable=False),
    sa.Column('over_at', sa.BigInteger(), nullable=False),
    sa.Column('entered_at', sa.BigInteger(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('synthetic', sa.Boolean(), server_default=sa.false(), nullable=False),
    sa.Column('body', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index('declarations_in_force', 'declarations', ['zone', 'over_at'], unique=False)
    op.create_index('declarations_over', 'declarations', ['over_at'], unique=False)
    op.create_index('declarations_newest', 'declarations', ['entered_at', 'id'], unique=False)
    op.create_index('declarations_by_enterprise', 'declarations', ['enterprise', 'entered_at', 'id'], unique=False)
    op.create_table('revisions',
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('number', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('name')
    )
    _take_over_measures()
    if op.get_bind().dialect.name == 'postgresql':
        op.execute("CREATE TRIGGER declarations_kept BEFORE DELETE ON declarations FOR EACH ROW "
                   "EXECUTE FUNCTION refuse_change('a declaration is never deleted')")
        op.execute("CREATE TRIGGER declarations_not_emptied BEFORE TRUNCATE ON declarations FOR EACH STATEMENT "
                   "EXECUTE FUNCTION refuse_change('a declaration is never deleted')")
        return
    op.execute("CREATE TRIGGER declarations_kept BEFORE DELETE ON declarations BEGIN SELECT RAISE(ABORT, 'a declaration is never deleted'); END")


def _take_over_measures() -> None:
    """Stop orders and other measures that were taken before there was this table."""
    connection = op.get_bind()
    hazards, declarations = sa.table('hazards', sa.column('body')), sa.table('declarations', *map(sa.column, _COLUMNS))
    bodies = connection.scalars(sa.select(hazards.c.body).where(hazards.c.body.contains('"measures":'))).all()
    for body in bodies:
        hazard = msgspec.json.decode(body, type=Hazard)
        for declared in (declaration_of(hazard, measure) for measure in hazard.measures):
            columns = columns_of(declared) | {'body': body_of(declared).decode()}
            connection.execute(declarations.insert().values(**{name: columns[name] for name in _COLUMNS}))


_COLUMNS = ('id', 'kind', 'zone', 'enterprise', 'state', 'starts_at', 'over_at', 'entered_at', 'version', 'synthetic', 'body')
