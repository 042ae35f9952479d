"""Hazards and incidents know of each other: a mark, what merging asks for of hazards, and the links between both."""

import json

import sqlalchemy as sa
from alembic import op

revision = '0015'
down_revision = '0014'
branch_labels = None
depends_on = None

MARKS = ('repeated', 'listed', 'supervised', 'extension_requested', 'alarm_since_claim', 'summons_due')
NARROWED = ('state', 'grade', 'due_at', 'zone', 'enterprise', *MARKS)
FIRST = {'newest': (), 'by_state': ('state',), 'by_zone': ('zone',), 'by_enterprise': ('enterprise',)}
OVER = "('closed', 'dismissed', 'merged')"


def upgrade() -> None:
    postgres = op.get_bind().dialect.name == 'postgresql'
    for name in ('alarm_since_claim', 'watched'):
        op.add_column('hazards', sa.Column(name, sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column('hazards', sa.Column('first_due', sa.BigInteger(), nullable=True))
    yes = 'true' if postgres else '1'
    op.execute(f"UPDATE hazards SET first_due = coalesce(due_at, {2**62}) WHERE state NOT IN {OVER}")
    op.execute(
        f"UPDATE hazards SET watched = {yes} WHERE state IN ('claimed', 'accepted')"
        f" OR (confirmed = {yes} AND overdue_at IS NOT NULL AND state NOT IN {OVER})"
    )
    for name, first in (FIRST | dict.fromkeys(MARKS, ())).items():
        columns = [*first, 'opened_at', 'id', *(n for n in NARROWED if n not in first)]
        is_set = sa.text(f'{name} IS true' if postgres else f'{name} IS 1') if name in MARKS else None
        if name != 'alarm_since_claim':
            op.drop_index(f'hazards_{name}', 'hazards')
        op.create_index(f'hazards_{name}', 'hazards', columns, sqlite_where=is_set, postgresql_where=is_set)
    for name, columns, which in (
        ('watched', ['zone', 'kind', 'state', 'synthetic', 'confirmed', 'overdue_at', 'due_at', 'id'],
         'watched IS true' if postgres else 'watched IS 1'),
        ('open', ['zone', 'first_due', 'id', 'state', 'due_at', 'enterprise', 'synthetic'], 'first_due IS NOT NULL'),
        ('open_by_kind', ['zone', 'kind', 'synthetic', 'first_due', 'id'], 'first_due IS NOT NULL'),
        ('closed', ['zone', 'kind', 'synthetic', 'closed_at', 'id'], 'closed_at IS NOT NULL'),
    ):
        op.create_index(f'hazards_{name}', 'hazards', columns, sqlite_where=sa.text(which), postgresql_where=sa.text(which))
    op.create_table('hazard_incidents',
    sa.Column('hazard', sa.String(), nullable=False),
    sa.Column('incident', sa.String(), nullable=False),
    sa.Column('why', sa.String(), nullable=False),
    sa.PrimaryKeyConstraint('hazard', 'incident')
    )
    op.create_index(op.f('ix_hazard_incidents_incident'), 'hazard_incidents', ['incident'], unique=False)
    _link()


def _link() -> None:
    """The links that the record and the hazards name so far."""
    connection = op.get_bind()
    connection.execute(sa.text("INSERT INTO hazard_incidents (hazard, incident, why)"
                               " SELECT id, incident, 'origin' FROM hazards WHERE incident IS NOT NULL"))  # fmt: skip
    keep = sa.text("INSERT INTO hazard_incidents (hazard, incident, why) VALUES (:hazard, :incident, :why) ON CONFLICT DO NOTHING")
    entries = sa.text("SELECT hazard, event, body FROM hazard_events WHERE event IN ('duplicate_taken', 'reopened') ORDER BY hazard, number")
    for hazard, event, body in connection.execute(entries).all():
        details = json.loads(bytes(body))['details']
        found = details.get('incidents', []) if event == 'duplicate_taken' else [details['incident']] if details.get('incident') else []
        why = 'duplicate' if event == 'duplicate_taken' else 'recurrence'
        for incident in found:
            connection.execute(keep, {'hazard': hazard, 'incident': incident, 'why': why})
