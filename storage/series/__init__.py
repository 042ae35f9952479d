"""The time series: one port, on SQLite and on InfluxDB 2."""
