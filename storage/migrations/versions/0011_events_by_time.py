"""Alarm-quality figures look for what happened to incidents in a span of time.

Revision ID: 0011
Revises: 0010
"""

from alembic import op

revision = '0011'
down_revision = '0010'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index('incident_events_by_time', 'incident_events', ['at', 'event', 'incident'], unique=False)
