"""The end of tasks."""

import asyncio

from sangyu.kernel.aio import ended


def test_a_task_that_loses_a_cancellation_is_ended_all_the_same():
    """``asyncio.wait_for`` of Python 3.11 answers instead of raising when the cancellation comes with the answer."""
    turns = 0

    async def loop(answer: asyncio.Future):
        nonlocal turns
        while True:
            await asyncio.wait_for(answer, 60)
            turns += 1
            answer = asyncio.get_running_loop().create_future()

    async def work():
        answer = asyncio.get_running_loop().create_future()
        task = asyncio.create_task(loop(answer))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        answer.set_result(None)
        await asyncio.wait_for(ended(task, None), 10)
        assert task.cancelled()

    asyncio.run(work())
    assert turns == 1


def test_what_a_task_raised_is_left_to_whoever_reads_it():
    async def fails():
        raise ValueError("of its own")

    async def work():
        task = asyncio.create_task(fails())
        await asyncio.sleep(0)
        await ended(task)
        assert str(task.exception()) == "of its own"

    asyncio.run(work())
