"""Who drives which run: one replica each, by lease; another takes over when that one is gone."""

import asyncio
from dataclasses import dataclass
from uuid import UUID

import structlog

from cato_contracts.errors import BrokerError
from cato_dialer.campaign.handlers.catalog_view import CatalogView, RunningTask
from cato_dialer.campaign.handlers.coordinate_run import CampaignSurroundings, RunDriver
from cato_dialer.campaign.ports import Lease, LeaseLostError, Leases
from cato_runtime.tasks import end_tasks

log = structlog.get_logger()

_LONGEST_RECOVERY_S = 10.0


@dataclass(frozen=True, slots=True)
class LeasePace:
    """Seconds: between two renewals, two tries to get a lease, a failure and the next try."""

    renew_s: float = 2.0
    try_again_s: float = 1.5
    recover_s: float = 1.0


class Coordinator:
    """Drives the runs that nobody else drives, from the log's word that a run was decided to its end."""

    def __init__(
        self,
        view: CatalogView,
        leases: Leases,
        around: CampaignSurroundings,
        pace: LeasePace | None = None,
    ) -> None:
        self._view = view
        self._leases = leases
        self._around = around
        self._pace = pace or LeasePace()
        self._news = asyncio.Event()
        self._drivers: dict[UUID, asyncio.Task[None]] = {}
        self._supervising: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin; the view must have been started."""
        self._view.on_change(self._news.set)
        self._supervising = asyncio.create_task(self._supervise())

    async def stop(self) -> None:
        """Let go of all runs, so that another replica goes on with them at once."""
        await end_tasks(self._supervising, *self._drivers.values())

    async def _supervise(self) -> None:
        while True:
            self._news.clear()
            for running in self._view.running:
                run_id = running.snapshot.run_id
                if run_id not in self._drivers:
                    self._drivers[run_id] = asyncio.create_task(self._see_through(running))
            await self._news.wait()

    async def _see_through(self, running: RunningTask) -> None:
        """Drive the run, or stand by while somebody else does, until it is over."""
        run_id = running.snapshot.run_id
        bound = log.bind(run_id=str(run_id))
        failures = 0
        try:
            while self._view.run(run_id) is not None:
                try:
                    lease = await self._leases.acquire(f"run.{run_id}")
                    if lease is None:
                        await self._stand_by(self._pace.try_again_s)
                        continue
                    bound.info("driving the run")
                    await self._drive(running, lease)
                    await self._view.fresh()
                except Exception as error:  # noqa: BLE001 - logged with its trace, and tried again
                    if _is_lost_lease(error):
                        bound.warning("somebody else drives the run now")
                        continue
                    # Whatever it was: the run is not given up. The log knows where to go on.
                    bound.warning("driving the run failed, trying again", error=repr(error), exc_info=True)
                    await self._stand_by(min(self._pace.recover_s * 2**failures, _LONGEST_RECOVERY_S))
                    failures = min(failures + 1, 10)
                else:
                    failures = 0
        finally:
            del self._drivers[run_id]
            self._news.set()

    async def _drive(self, running: RunningTask, lease: Lease) -> None:
        driving = asyncio.create_task(RunDriver(running, self._around).drive())
        keeping = asyncio.create_task(self._keep(lease))
        try:
            await asyncio.wait({driving, keeping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await end_tasks(driving, keeping)
            await self._give_back(lease)
        for task in (driving, keeping):
            if not task.cancelled() and (error := task.exception()) is not None:
                raise error

    async def _keep(self, lease: Lease) -> None:
        """Renew the lease; raises LeaseLostError as soon as it may be somebody else's."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(min(self._pace.renew_s, max(0.0, lease.valid_until - loop.time())))
            try:
                async with asyncio.timeout_at(lease.valid_until):
                    await lease.renew()
            except TimeoutError as error:
                raise LeaseLostError("the lease could not be renewed in time") from error
            except BrokerError as error:
                log.warning("a lease could not be renewed yet", error=repr(error))
                if loop.time() >= lease.valid_until:
                    raise LeaseLostError("the lease could not be renewed in time") from error
                await asyncio.sleep(min(0.2, max(0.0, lease.valid_until - loop.time())))

    @staticmethod
    async def _give_back(lease: Lease) -> None:
        try:
            await lease.release()
        except BrokerError as error:
            log.info("a lease could not be given back, it expires", error=repr(error))

    async def _stand_by(self, seconds: float) -> None:
        # Nothing tells that a lease has expired, nor that whatever failed works again.
        await asyncio.sleep(seconds)


def _is_lost_lease(error: BaseException) -> bool:
    if isinstance(error, BaseExceptionGroup):
        return any(_is_lost_lease(each) for each in error.exceptions)
    return isinstance(error, LeaseLostError)
