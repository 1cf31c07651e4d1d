"""Several processes for work that Python computes: each part runs by itself, its results come as they are ready."""

import multiprocessing
from collections.abc import Callable, Iterable, Iterator
from typing import Any

#: Results that a process may be ahead of who takes them, which bounds memory.
AHEAD = 3


def streams(work: Callable[[Any], Iterable], parts: list) -> Iterator[Any]:
    """The results of ``work(part)`` of all ``parts``, one process each, in the order in which they come.

    ``work`` is a function of a module; arguments and results are pickled. An error in one process is raised here, and the
    others end. Fresh processes, not forked ones: the caller has threads and an open transaction.
    """
    context = multiprocessing.get_context("spawn")
    queue = context.Queue(AHEAD * len(parts))
    name = f"{work.__module__}:{work.__qualname__}"
    running = [context.Process(target=_run, args=(name, part, queue), daemon=True) for part in _pickled(parts)]
    for process in running:
        process.start()
    open_ones = len(running)
    try:
        while open_ones:
            kind, value = _next(queue, running)
            if kind == "end":
                open_ones -= 1
            elif kind == "error":
                raise RuntimeError(value)
            else:
                yield value
    finally:
        for process in running:
            if process.is_alive() and open_ones:
                process.terminate()
            process.join()


def _pickled(parts: list) -> list[bytes]:
    """As bytes: unpickled only when Django is set up in the new process."""
    import pickle

    return [pickle.dumps(part) for part in parts]


def _next(queue, running: list) -> tuple[str, Any]:
    """The next message; a process that was killed is an error, not a long silence."""
    from queue import Empty

    while True:
        try:
            return queue.get(timeout=5)
        except Empty:
            if any(p.exitcode for p in running):
                return "error", "a process of the work has died"


def _run(name: str, part: bytes, queue) -> None:
    import pickle
    import traceback
    from importlib import import_module

    import django
    from django.utils import translation

    try:
        django.setup()
        translation.activate("zh-hans")
        module, function = name.split(":")
        for found in getattr(import_module(module), function)(pickle.loads(part)):
            queue.put(("value", found))
        queue.put(("end", None))
    except BaseException:
        queue.put(("error", traceback.format_exc()))
