"""Which time series this system has: InfluxDB 2 where it is configured, a SQLite file of the data folder elsewhere.

Imports late, since InfluxDB's client is half a second. What must not go in: what is written or asked (``storage/series``).
"""

import asyncio
from collections.abc import Callable, Sequence

from bihuan.configuration import Settings
from storage.series.port import EVENTS, Retention, SeriesQuery, SeriesRun, TimeSeries, bucket_of
from storage.site_store import Registry

_DAY = 86_400 * 1_000_000


def open_time_series(settings: Settings, district: str, *, writing: bool = True) -> TimeSeries:
    """The time series of ``district``. ``writing`` False: only ``read`` is used, in another process than the store's."""
    if not settings.influx_url:
        from storage.series.sqlite import SqliteSeries

        return SqliteSeries(settings.series_path, writing=writing)
    from storage.series.influx import InfluxAccess, InfluxSeries

    return InfluxSeries(InfluxAccess(settings.influx_url, settings.influx_org, settings.influx_token, bucket_of(district)))


def retention_of(settings: Settings) -> Retention:
    """How long each measurement is kept."""
    days = {
        "telemetry": settings.keep_raw_days, "telemetry_1s": settings.keep_1s_days, "telemetry_1m": settings.keep_1m_days,
        "telemetry_15m": settings.keep_15m_days,
    } | dict.fromkeys(EVENTS, settings.keep_events_days)  # fmt: skip
    return Retention({measurement: int(kept * _DAY) for measurement, kept in days.items()})


class SeriesReader:
    """The time series of the site's present district, for reading: opened when it is first asked, so that no start waits for it."""

    def __init__(self, settings: Settings, registry: Callable[[], Registry]) -> None:
        self._settings, self._registry = settings, registry
        self._opened: tuple[str, TimeSeries] | None = None
        self._opening = asyncio.Lock()

    async def read(self, query: SeriesQuery) -> Sequence[SeriesRun]:
        """See ``TimeSeriesReader``."""
        return await (await self._present()).read(query)

    async def _present(self) -> TimeSeries:
        async with self._opening:
            district = self._registry().site.district
            if self._opened is None or self._opened[0] != district:
                fresh = await asyncio.to_thread(open_time_series, self._settings, district, writing=False)  # the import takes a while
                before, self._opened = self._opened, (district, fresh)
                if before is not None:
                    await before[1].close()
            return self._opened[1]

    async def close(self) -> None:
        """Give back connections and threads."""
        if self._opened is not None:
            await self._opened[1].close()
