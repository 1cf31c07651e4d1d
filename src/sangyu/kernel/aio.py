"""The end of tasks."""

import asyncio


async def ended(*tasks: asyncio.Task | None) -> None:
    """Cancel tasks and wait until all of them have ended; what they raise is theirs to be read.

    One ``cancel`` is not enough: ``asyncio.wait_for`` of Python 3.11, with which nats-py waits for answers, loses a cancellation
    that comes in the turn of the answer, and a loop around it would go on for ever.
    """
    while running := {task for task in tasks if task is not None and not task.done()}:
        for task in running:
            task.cancel()
        await asyncio.wait(running, timeout=0.25)
