"""The time series in InfluxDB 2, by the asynchronous client's write service, query and delete calls.

The batches are our own: the client's batching drops them after its last retry. A write returns when InfluxDB has answered 204.
What it will never take (a line it can't read, a field of another type) is found by halving and given back with the reason;
everything else that goes wrong is StorageUnavailable. What must not go in: retrying, what is stored.
"""

import asyncio
import zlib
from collections.abc import Awaitable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, TypeVar

import aiohttp
from influxdb_client import Dialect, PostBucketRequest, WritePrecision
from influxdb_client.client.exceptions import InfluxDBError
from influxdb_client.client.influxdb_client_async import InfluxDBClientAsync
from influxdb_client.rest import ApiException
from influxdb_client.service import BucketsService, OrganizationsService, WriteService
from msgspec import Struct
from structlog import get_logger

from hazards.errors import StorageUnavailable
from storage.series.answers import runs_of
from storage.series.lines import event_lines, finite_readings, finite_rollups, raw_lines, rollup_lines
from storage.series.port import (
    RAW,
    RESOLUTIONS,
    EventPoint,
    RawBlock,
    Rejected,
    Retention,
    RollupBlock,
    SeriesQuery,
    SeriesRun,
)
from storage.series.runs import within_limit

log = get_logger(__name__)
T = TypeVar("T")

LINES = 5_000
"""Lines of one request: InfluxDB's own advice."""
SUSPECTS = 200
"""Requests spent on finding the lines that InfluxDB does not take; what is still undecided then is put aside as it is."""
_REFUSED = (400, 422)
_TOO_OLD = "outside retention policy"
"""A bucket with a retention of its own does not take older points: they would be dropped at once."""
_TOO_LARGE = 413


class InfluxAccess(Struct, frozen=True):
    """Where InfluxDB is. ``bucket`` as of ``storage.series.port.bucket_of``; ``timeout`` in seconds."""

    url: str
    org: str
    token: str
    bucket: str
    timeout: float = 30.0

    def __repr__(self) -> str:
        return f"InfluxAccess({self.url}, org={self.org}, bucket={self.bucket}, token=***)"


class InfluxSeries:
    """A TimeSeries in InfluxDB. The connection is made at the first call, on the running loop."""

    def __init__(self, access: InfluxAccess) -> None:
        self._access = access
        self._known_client: InfluxDBClientAsync | None = None
        self._dropped: dict[str, int] = {}

    @property
    def _client(self) -> InfluxDBClientAsync:
        if self._known_client is None:
            a = self._access
            self._known_client = InfluxDBClientAsync(a.url, a.token, a.org, timeout=int(a.timeout * 1000))
        return self._known_client

    async def ensure(self) -> None:
        """Make the bucket, when it is missing and the token may. One that may only write is enough: then the first write tells.

        Raises StorageUnavailable."""
        try:
            if not await self._has_bucket():
                await self._make_bucket()
        except ApiException as e:
            if e.status not in (401, 403, 404):
                raise self._away(e) from e
            log.warning("the token can't look after buckets", bucket=self._access.bucket, status=e.status)

    async def _has_bucket(self) -> bool:
        try:
            call = BucketsService(self._client.api_client).get_buckets_async(org=self._access.org, name=self._access.bucket)
            return bool((await self._calling(call)).buckets)
        except ApiException as e:
            if e.status != 404:
                raise
            return False

    async def _make_bucket(self) -> None:
        found = await self._calling(OrganizationsService(self._client.api_client).get_orgs_async(org=self._access.org))
        if not found.orgs:
            log.warning("no such organisation, or none that the token may see", org=self._access.org)
            return
        request = PostBucketRequest(org_id=found.orgs[0].id, name=self._access.bucket, retention_rules=[])
        try:
            await self._calling(BucketsService(self._client.api_client).post_buckets_async(post_bucket_request=request))
            log.info("bucket made", bucket=self._access.bucket)
        except ApiException as e:
            if e.status != 422:  # another process made it at the same moment
                raise

    async def write_raw(self, block: RawBlock) -> Sequence[Rejected]:
        """Store raw readings."""
        block, rejected = finite_readings(block)
        return [*rejected, *await self._write(raw_lines(block), WritePrecision.US)]

    async def write_rollups(self, block: RollupBlock) -> Sequence[Rejected]:
        """Store roll-ups."""
        block, rejected = finite_rollups(block)
        return [*rejected, *await self._write(rollup_lines(block), WritePrecision.US)]

    async def write_points(self, points: Sequence[EventPoint]) -> Sequence[Rejected]:
        """Store points of alarms, incidents and hazards."""
        return await self._write(event_lines(points), WritePrecision.NS)

    async def _write(self, lines: Sequence[str], precision: str) -> list[Rejected]:
        rejected: list[Rejected] = []
        for start in range(0, len(lines), LINES):
            rejected += await self._write_sound(lines[start : start + LINES], precision)
        return rejected

    async def _write_sound(self, lines: Sequence[str], precision: str) -> list[Rejected]:
        """Write ``lines`` but those that InfluxDB refuses."""
        waiting, rejected, refusals = [lines], list[Rejected](), 0
        while waiting:
            part = waiting.pop()
            reason = await self._post(part, precision)
            if reason is None:
                continue
            refusals += 1
            if len(part) == 1 or refusals > SUSPECTS:
                if _TOO_OLD in reason:
                    log.warning("older than the bucket keeps", lines=len(part), bucket=self._access.bucket)
                    continue
                rejected.append(Rejected("\n".join(part).encode(), reason))
            else:
                waiting += [part[len(part) // 2 :], part[: len(part) // 2]]
        return rejected

    async def _post(self, lines: Sequence[str], precision: str) -> str | None:
        """One request; why it was refused. Raises StorageUnavailable."""
        body = await asyncio.to_thread(_compressed, "\n".join(lines))
        call = WriteService(self._client.api_client).post_write_async(
            org=self._access.org, bucket=self._access.bucket, body=body, precision=precision, content_encoding="gzip",
            content_type="text/plain; charset=utf-8", async_req=False, _return_http_data_only=False,
        )  # fmt: skip
        try:
            await self._calling(call)
        except ApiException as e:
            if e.status in _REFUSED or (e.status == _TOO_LARGE and len(lines) > 1):
                return str(e.message)[:1000]
            raise self._away(e) from e
        return None

    async def read(self, query: SeriesQuery) -> Sequence[SeriesRun]:
        """The points, a run for each set of tags."""
        owned = "" if query.enterprise is None else " and r.enterprise == asked_enterprise"
        owned += "" if query.zone is None else " and r.zone == asked_zone"
        pivot = '|> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")' if query.resolution != RAW else ""
        flux = f"""from(bucket: asked_bucket) |> range(start: asked_start, stop: asked_end)
            |> filter(fn: (r) => r._measurement == asked_measurement and r.device == asked_device and r.metric == asked_metric{owned})
            {pivot} |> drop(columns: ["_start", "_stop", "_measurement", "_field"]) |> sort(columns: ["_time"]) |> limit(n: asked_points)"""
        parameters = {
            "asked_bucket": self._access.bucket, "asked_start": _moment(query.start), "asked_end": _moment(query.end),
            "asked_device": query.device, "asked_metric": query.metric, "asked_enterprise": query.enterprise, "asked_zone": query.zone,
            "asked_measurement": RESOLUTIONS[query.resolution], "asked_points": query.limit,
        }  # fmt: skip
        csv = await self.query(flux, parameters)
        runs = await asyncio.to_thread(runs_of, csv, raw=query.resolution == RAW)
        return within_limit(runs, query.limit)

    async def query(self, flux: str, parameters: dict[str, Any]) -> str:
        """The answer to ``flux`` as CSV without annotations. Raises StorageUnavailable."""
        dialect = Dialect(header=True, delimiter=",", comment_prefix="#", annotations=[], date_time_format="RFC3339Nano")
        try:
            answer: str = await self._calling(self._client.query_api().query_raw(flux, dialect=dialect, params=parameters))
        except ApiException as e:
            raise self._away(e) from e
        return answer

    async def drop_old(self, retention: Retention, *, now: int) -> None:
        """By the delete call, a measurement at a time; the first time in full, then from where the last one ended."""
        for measurement, kept in retention.kept.items():
            end = now - kept - 1  # both ends are of the range
            chosen = f'_measurement="{measurement}"'
            begin = _moment(self._dropped.get(measurement, 0))
            try:
                await self._calling(self._client.delete_api().delete(begin, _moment(end), chosen, self._access.bucket, self._access.org))
            except ApiException as e:
                raise self._away(e) from e
            self._dropped[measurement] = end

    async def close(self) -> None:
        """Close the connections."""
        if self._known_client is not None:
            await self._known_client.close()
            self._known_client = None

    async def _calling(self, call: Awaitable[T]) -> T:
        with self._foreign_errors():
            return await call

    @contextmanager
    def _foreign_errors(self) -> Iterator[None]:
        try:
            yield
        except ApiException:
            raise
        except (aiohttp.ClientError, TimeoutError, OSError, InfluxDBError) as e:
            what = f"InfluxDB does not answer: {e!r}"
            raise StorageUnavailable(what, where=self._access.url, hint="it is tried again") from e

    def _away(self, error: ApiException) -> StorageUnavailable:
        hints = {401: "check the token", 403: "the token may not do this", 404: "check organisation and bucket"}
        what = f"InfluxDB answered {error.status}: {str(error.message)[:300]}"
        return StorageUnavailable(what, where=self._access.url, hint=hints.get(error.status, "it is tried again"))


def _compressed(text: str) -> bytes:
    compressor = zlib.compressobj(1, zlib.DEFLATED, 31)  # 31: with the header of gzip
    return compressor.compress(text.encode()) + compressor.flush()


def _moment(at: int) -> datetime:
    return datetime.fromtimestamp(at // 1_000_000, UTC).replace(microsecond=at % 1_000_000)
