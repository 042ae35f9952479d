"""Which time series a process works with: a file beside the ledger, or InfluxDB. What must not go in: reading settings."""

from pathlib import Path

from storage.series.influx import InfluxAccess, InfluxSeries
from storage.series.port import TimeSeries
from storage.series.sqlite import SqliteSeries


def open_series(path: Path, influx: InfluxAccess | None, *, writing: bool) -> TimeSeries:
    """The time series in the file ``path``, or in InfluxDB when ``influx`` says where. ``writing`` False: for reading only."""
    return SqliteSeries(path, writing=writing) if influx is None else InfluxSeries(influx)
