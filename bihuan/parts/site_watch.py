"""The site as a part sees it: loaded at the start, again within a second of every change. What must not go in: applying a site."""

import asyncio

import structlog

from hazards.errors import StorageUnavailable
from storage.database import Database
from storage.site_store import Registry, load_registry, newest_revision

log = structlog.get_logger()

LOOK_SECONDS = 1.0


class SiteWatch:
    """Call it for the present registry. ``changed`` is set at every new version of site or pack, for one waiting task."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._registry = Registry()
        self.changed = asyncio.Event()

    def __call__(self) -> Registry:
        """The present registry."""
        return self._registry

    async def reload(self) -> None:
        """Read the newest site now. Raises StorageUnavailable."""
        registry = await self._database.reading(load_registry)
        if registry.revision != self._registry.revision:
            self._registry = registry
            self.changed.set()

    async def first(self, stopping: asyncio.Event, *, pause: float = 0.5) -> None:
        """Read the site for the first time, waiting for SQL."""
        while not stopping.is_set():
            try:
                await self.reload()
                return
            except StorageUnavailable as e:
                log.warning("no site yet: SQL is away", error=str(e))
                await asyncio.sleep(pause)

    async def run(self) -> None:
        """Look every second whether the version moved; while SQL is away the last known site stays."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                if await self._database.reading(newest_revision) != self._registry.revision:
                    await self.reload()
            except StorageUnavailable:
                continue
