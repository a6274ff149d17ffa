"""One replica drives each run, by a lease. When that replica fails, another takes the lease and continues."""

import asyncio
from uuid import UUID

import structlog

from cato_contracts.errors import BrokerError
from cato_dialer.campaign.handlers.catalog_view import RunningTask
from cato_dialer.campaign.handlers.coordinator.run_driver import RunDriver
from cato_dialer.campaign.handlers.deps import Deps
from cato_dialer.campaign.ports import Lease, LeaseLostError
from cato_runtime.process.tasks import end_tasks

log = structlog.get_logger()

_LONGEST_RECOVERY_S = 10.0


class Coordinator:
    """Drives every run that no other replica drives, from the decision to start it until it is over."""

    def __init__(self, deps: Deps) -> None:
        self._deps = deps
        self._view = deps.view
        self._pace = deps.lease_pace
        self._runs_changed = asyncio.Event()
        self._drivers: dict[UUID, asyncio.Task[None]] = {}
        self._supervising: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to drive runs. The catalog view must have been started."""
        self._view.on_change(self._runs_changed.set)
        self._supervising = asyncio.create_task(self._supervise())

    async def stop(self) -> None:
        """Release all runs, so that another replica continues them at once."""
        await end_tasks(self._supervising, *self._drivers.values())

    async def _supervise(self) -> None:
        while True:
            self._runs_changed.clear()
            for running in self._view.running:
                run_id = running.snapshot.run_id
                if run_id not in self._drivers:
                    self._drivers[run_id] = asyncio.create_task(self._coordinate(running))
            await self._runs_changed.wait()

    async def _coordinate(self, running: RunningTask) -> None:
        """Drive the run, or stand by while another replica drives it, until it is over."""
        run_id = running.snapshot.run_id
        bound = log.bind(run_id=str(run_id))
        failures = 0
        try:
            while self._view.run(run_id) is not None:
                try:
                    lease = await self._deps.leases.acquire(f"run.{run_id}")
                    if lease is None:
                        await self._stand_by(self._pace.try_again_s)
                        continue
                    bound.info("driving the run")
                    await self._drive(running, lease)
                    await self._view.catch_up()
                except Exception as error:  # noqa: BLE001 - logged with its trace, and tried again
                    if _is_lost_lease(error):
                        bound.warning("another replica has taken over the run")
                        continue
                    # The run is never abandoned: the next attempt continues from the log.
                    bound.warning("driving the run failed, will be retried", error=repr(error), exc_info=True)
                    await self._stand_by(min(self._pace.recover_s * 2**failures, _LONGEST_RECOVERY_S))
                    failures = min(failures + 1, 10)
                else:
                    failures = 0
        finally:
            del self._drivers[run_id]
            self._runs_changed.set()

    async def _drive(self, running: RunningTask, lease: Lease) -> None:
        driving = asyncio.create_task(RunDriver(running, self._deps).drive())
        keeping = asyncio.create_task(self._keep_lease(lease))
        try:
            await asyncio.wait({driving, keeping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await end_tasks(driving, keeping)
            await self._release(lease)
        for task in (driving, keeping):
            if not task.cancelled() and (error := task.exception()) is not None:
                raise error

    async def _keep_lease(self, lease: Lease) -> None:
        """Renew the lease. Raises LeaseLostError as soon as another replica may have it."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(min(self._pace.renew_s, max(0.0, lease.valid_until - loop.time())))
            try:
                async with asyncio.timeout_at(lease.valid_until):
                    await lease.renew()
            except TimeoutError as error:
                raise LeaseLostError("the lease could not be renewed in time") from error
            except BrokerError as error:
                log.warning("lease not renewed, will be retried", error=repr(error))
                if loop.time() >= lease.valid_until:
                    raise LeaseLostError("the lease could not be renewed in time") from error
                await asyncio.sleep(min(0.2, max(0.0, lease.valid_until - loop.time())))

    @staticmethod
    async def _release(lease: Lease) -> None:
        try:
            await lease.release()
        except BrokerError as error:
            log.info("lease not released, it will expire", error=repr(error))

    async def _stand_by(self, seconds: float) -> None:
        # No event reports that a lease has expired or that a failure is over.
        await asyncio.sleep(seconds)


def _is_lost_lease(error: BaseException) -> bool:
    if isinstance(error, BaseExceptionGroup):
        return any(_is_lost_lease(each) for each in error.exceptions)
    return isinstance(error, LeaseLostError)
