"""Live push to browsers: a small ASGI process that serves ``/live/events`` as server-sent events.

One consumer per process reads the stream and keeps its last events in memory; each browser gets those its ticket
entitles to. ``id:`` is the place in the stream: a browser that comes back with ``Last-Event-ID`` gets what it missed,
or the event ``reset`` (fetch everything anew) when that is no longer kept. ``renew`` says that the ticket has run
out. The process needs NATS and the secret key, no database. Alarms it hears itself: ``push_alarms.py``.
"""

import asyncio
import contextlib
import json
import logging
import os
import signal
import time
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sangyu.runtime.settings.dev")

import django

django.setup()

# ruff: noqa: E402 - models may be imported only after the set-up
from django.conf import settings
from nats.errors import Error as NatsError
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from nats.js.errors import NotFoundError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from sangyu.kernel import live
from sangyu.kernel.aio import ended
from sangyu.runtime.push_alarms import Alarms

log = logging.getLogger(__name__)

#: Events kept for browsers that come back.
KEPT = 10_000
#: Events waiting for one slow browser before it is cut off; it comes back and replays.
QUEUE = 256
HEARTBEAT = 15.0
#: For consoles that hear alarms: they notice a dead connection within seconds.
QUICK_HEARTBEAT = 3.0
#: Milliseconds a browser waits before it comes back.
RETRY = 1_500
HEADERS = {"Cache-Control": "no-store", "Content-Encoding": "identity", "X-Accel-Buffering": "no"}


@dataclass(eq=False)
class Client:
    """One open stream."""

    who: live.Listener
    queue: asyncio.Queue[tuple[str, dict[str, Any]] | None] = field(default_factory=lambda: asyncio.Queue(QUEUE))
    cut_off: bool = False


class Hub:
    """Reads the stream once and hands events out."""

    def __init__(self) -> None:
        self.kept: deque[tuple[int, dict[str, Any]]] = deque(maxlen=KEPT)
        self.clients: set[Client] = set()
        self.last = 0
        #: Tells one stream from another of the same name: its places start again at 1.
        self.era = ""
        self.ready = asyncio.Event()
        self.watching = False
        self.alarms = Alarms(self)

    async def run(self) -> None:
        """Follow the stream until cancelled; NATS may come and go."""
        while True:
            nc = None
            try:
                nc = await live.connect("sangyu push")
                js = nc.jetstream()
                await live.ensure_stream(js)
                while True:
                    await self._follow(js)
            except (NatsError, OSError, TimeoutError) as error:
                log.warning("live push waits for NATS: %s: %s", type(error).__name__, error)
                await asyncio.sleep(0.5)
            finally:
                if nc is not None:
                    with contextlib.suppress(Exception):
                        await nc.close()

    async def _follow(self, js) -> None:
        """One consumer, until it misses a message, vanishes or the stream turns out to be another."""
        info = await js.stream_info(live.STREAM)
        era = f"{info.created:%Y%m%d%H%M%S%f}" if info.created else ""
        if era != self.era or info.state.last_seq < self.last:
            self.kept.clear()
            self.era, self.last = era, max(info.state.first_seq - 1, info.state.last_seq - KEPT, 0)
            for client in list(self.clients):
                self._drop(client)
        config = ConsumerConfig(
            deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
            opt_start_seq=self.last + 1,
            ack_policy=AckPolicy.NONE,
            inactive_threshold=60,
            mem_storage=True,
        )
        until = info.state.last_seq
        subscription = await js.subscribe(f"{live.SUBJECT}.>", stream=live.STREAM, config=config, manual_ack=True)
        if self.last >= until:
            self.ready.set()
        expected = 1
        try:
            while True:
                try:
                    message = await subscription.next_msg(timeout=2)
                except TimeoutError:
                    state = await subscription.consumer_info()
                    if state.delivered.consumer_seq >= expected:
                        return
                    continue
                place = message.metadata.sequence
                if place.consumer != expected:
                    return
                expected += 1
                self._take(place.stream, message.data)
                if place.stream >= until:
                    self.ready.set()
        except NotFoundError:
            return
        finally:
            with contextlib.suppress(Exception):
                await subscription.unsubscribe()

    def _take(self, place: int, data: bytes) -> None:
        self.last = place
        try:
            event = json.loads(data)
            event["name"], event["path"], event["payload"]
        except (ValueError, KeyError, TypeError):
            log.error("place %s of the stream holds no event", place)
            return
        self.kept.append((place, event))
        for client in list(self.clients):
            if client.who.hears(event):
                self.give(client, self.mark(place), event)

    def give(self, client: Client, mark: str, event: dict[str, Any]) -> None:
        """Put an event into the client's queue; ``mark`` "" for one that has no place in the stream."""
        try:
            client.queue.put_nowait((mark, event))
        except asyncio.QueueFull:
            self._drop(client)

    def _drop(self, client: Client) -> None:
        """Cut a client off; its browser comes back with the last place it has seen."""
        self.clients.discard(client)
        client.cut_off = True
        with contextlib.suppress(asyncio.QueueFull):
            client.queue.put_nowait(None)

    def end_on_signal(self) -> None:
        """End the streams as soon as the process is told to stop: the server would wait for them before it tells us.

        Called with the first stream, when the server's own handlers are in place; they are kept (the loop's live beside
        this one, others are called on).
        """
        if self.watching:
            return
        self.watching = True
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            before = signal.getsignal(number)

            def told(*args, before=before) -> None:
                loop.call_soon_threadsafe(self.close)
                if callable(before) and before is not signal.default_int_handler:
                    before(*args)

            with contextlib.suppress(ValueError):  # the loop does not run in the main thread
                signal.signal(number, told)

    def close(self) -> None:
        """End all streams."""
        for client in list(self.clients):
            self._drop(client)

    def mark(self, place: int) -> str:
        return f"{self.era}.{place}"

    def missed(self, who: live.Listener, last_id: str) -> list[tuple[str, dict[str, Any]]] | None:
        """What ``who`` missed since ``last_id``; None when that is not known any more."""
        era, _dot, number = last_id.rpartition(".")
        if era != self.era or not number.isdigit() or int(number) > self.last:
            return None
        since = int(number)
        first_kept = self.kept[0][0] if self.kept else self.last + 1
        if since + 1 < first_kept:
            return None
        return [(self.mark(place), event) for place, event in self.kept if place > since and who.hears(event)]


def _line(mark: str, event: dict[str, Any]) -> str:
    payload = {key: value for key, value in event["payload"].items() if key != "to"}
    body = json.dumps({"id": event["id"], "at": event["at"], **{"payload": payload}}, ensure_ascii=False)
    place = f"id: {mark}\n" if mark else ""
    return f"{place}event: {event['name']}\ndata: {body}\n\n"


async def _stream(hub: Hub, client: Client, last_id: str) -> AsyncIterator[str]:
    who = client.who
    hub.clients.add(client)  # before looking back: what comes in meanwhile waits in the queue
    try:
        here = hub.last
        yield f"retry: {RETRY}\n\n"
        missed = hub.missed(who, last_id) if last_id else []
        if missed is None:
            yield f"id: {hub.mark(here)}\nevent: reset\ndata: {{}}\n\n"
        elif not missed:
            yield f"id: {hub.mark(here)}\n: from here\n\n"
        for mark, event in missed or ():
            yield _line(mark, event)
        for event in hub.alarms.greeting(who):
            yield _line("", event)
        pause = QUICK_HEARTBEAT if hub.alarms.concerns(who) else HEARTBEAT
        while True:
            left = pause if hub.alarms.stays(who) else who.expires - time.time()
            if left <= 0 and client.queue.empty():
                yield "event: renew\ndata: {}\n\n"
                return
            try:
                async with asyncio.timeout(min(pause, max(left, 0.01))):
                    item = await client.queue.get()
            except TimeoutError:
                yield ": still here\n\n"
                continue
            if item is None:
                return
            yield _line(*item)
            if client.cut_off and client.queue.empty():
                return
    finally:
        hub.clients.discard(client)


def _same_origin(request: Request) -> bool:
    """Browsers say where a request comes from; another site's page must not listen with our cookie."""
    if request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        return False
    origin = request.headers.get("origin")
    if not origin:
        return True
    host = request.headers.get("x-forwarded-host") or request.headers.get("host", "")
    return urlsplit(origin).netloc == host or origin in settings.CSRF_TRUSTED_ORIGINS


async def events(request: Request) -> Response:
    """The stream. 403 for another origin, 401 for a ticket that is forged, expired or of another session."""
    if not _same_origin(request):
        return PlainTextResponse("other origin", status_code=403)
    hub: Hub = request.app.state.hub
    text = request.query_params.get("ticket", "")
    who = live.listener(text)
    if who is None and (kept := live.listener(text, hub.alarms.good_at())) and hub.alarms.stays(kept):
        who = kept
    session = request.cookies.get(settings.SESSION_COOKIE_NAME, "")
    if who is None or (who.session and who.session != live.session_mark(session)):
        return PlainTextResponse("ticket expired", status_code=401)
    hub.end_on_signal()
    try:
        async with asyncio.timeout(3):
            await hub.ready.wait()
    except TimeoutError:
        return PlainTextResponse("not ready", status_code=503, headers={"Retry-After": "2"})
    last_id = request.headers.get("last-event-id") or request.query_params.get("last", "")
    return StreamingResponse(_stream(hub, Client(who), last_id), media_type="text/event-stream", headers=HEADERS)


async def health(request: Request) -> JSONResponse:
    """Whether the stream is followed, how many listen."""
    hub: Hub = request.app.state.hub
    ready = hub.ready.is_set()
    return JSONResponse(
        {"ready": ready, "clients": len(hub.clients), "last": hub.last, "cases": hub.alarms.since is None},
        status_code=200 if ready else 503,
    )


@contextlib.asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    app.state.hub = hub = Hub()
    tasks = [asyncio.create_task(hub.run()), asyncio.create_task(hub.alarms.run())]
    try:
        yield
    finally:
        hub.close()
        await ended(*tasks)


application = Starlette(routes=[Route("/live/events", events), Route("/live/health", health)], lifespan=lifespan)
