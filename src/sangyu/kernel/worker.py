"""The worker process: runs jobs until it is told to stop."""

import asyncio
import logging
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from asgiref.sync import sync_to_async
from django.db import connection, connections
from procrastinate.contrib.django import DjangoApp, app

from . import jobs
from .aio import ended

log = logging.getLogger(__name__)


def run_worker(
    *,
    queues: list[str] | None = None,
    concurrency: int = 4,
    stop: threading.Event | None = None,
    wait: bool = True,
    grace: float = 25.0,
) -> None:
    """Run jobs of ``queues`` (all when None), ``concurrency`` at once, until SIGTERM, SIGINT or ``stop``.

    On stop it takes no new job and waits up to ``grace`` seconds; what is left is taken back by the sweeper of
    another worker or at the next start. A lost database is waited for, not died of. ``wait=False`` returns when no job
    is due, and raises what goes wrong.
    """
    stop = stop or threading.Event()
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_args: stop.set())
    pause = 0.5
    while not stop.is_set():
        began = time.monotonic()
        try:
            jobs.take_back()
            connections.close_all()
            asyncio.run(_run(queues, concurrency, stop, wait, grace))
            if not wait:
                return
        except Exception:
            if not wait:
                raise
            log.exception("the worker stopped; it starts again in %.1f s", pause)
            connections.close_all()
        pause = 0.5 if time.monotonic() - began > 60 else min(pause * 2, 15)
        stop.wait(pause)


async def _run(queues: list[str] | None, concurrency: int, stop: threading.Event, wait: bool, grace: float) -> None:
    loop = asyncio.get_running_loop()
    # Synchronous tasks run in the loop's executor: fewer threads than jobs would let jobs "run" without running.
    loop.set_default_executor(ThreadPoolExecutor(max_workers=concurrency + 2, thread_name_prefix="job"))
    # An app of its own: replacing the connector of the shared one would take jobs that tasks enqueue out of their
    # transaction.
    own = DjangoApp(connector=app.connector.get_worker_connector(), import_paths=app.import_paths)
    own.tasks, own.periodic_registry = app.tasks, app.periodic_registry
    finished: dict[int, float] = {}
    who: list[int] = []

    async def remember(call_next, context, worker):
        who[:] = [worker.worker_id]
        finished.pop(context.job.id, None)
        try:
            return await call_next()
        finally:
            finished[context.job.id] = time.monotonic()

    async with own.open_async():
        work = asyncio.create_task(
            own.run_worker_async(
                queues=queues,
                concurrency=concurrency,
                wait=wait,
                install_signal_handlers=False,
                shutdown_graceful_timeout=grace,
                fetch_job_polling_interval=2.0,
                worker_middleware=[remember],
            )
        )
        watch = asyncio.create_task(_until(stop, work))
        reconcile = asyncio.create_task(_reconcile(who, finished))
        try:
            await work
        except asyncio.CancelledError:
            if not stop.is_set():
                raise
        finally:
            await ended(watch, reconcile)
            await sync_to_async(connections.close_all)()  # the thread in which periodic jobs are enqueued


async def _until(stop: threading.Event, work: asyncio.Task) -> None:
    while not stop.is_set():
        await asyncio.sleep(0.1)
    work.cancel()


async def _reconcile(who: list[int], finished: dict[int, float]) -> None:
    """Take back jobs that this living worker has run but whose end could not be written (a database glitch at that
    moment).
    """
    while True:
        await asyncio.sleep(15)
        old = [pk for pk, at in finished.items() if time.monotonic() - at > 30]
        if old and who:
            try:
                await sync_to_async(_retry_unwritten)(who[0], old)
            except Exception:
                log.exception("unwritten job ends could not be reconciled")
                continue
        for pk in old:
            finished.pop(pk, None)


def _retry_unwritten(worker_id: int, old: list[int]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT procrastinate_retry_job_v2(id, now(), NULL, NULL, NULL) FROM (SELECT id FROM procrastinate_jobs "
            "WHERE status = 'doing' AND worker_id = %s AND id = ANY(%s) FOR UPDATE SKIP LOCKED) j",
            [worker_id, old],
        )
        if cursor.rowcount:
            log.warning("%s jobs had ended unwritten and run again", cursor.rowcount)
