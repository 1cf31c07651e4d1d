"""Paging by key as a property: every row once, in order, in both directions, with NULLs and ties."""

from datetime import timedelta

from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from sangyu.kernel.errors import Invalid
from sangyu.kernel.models import Operation
from sangyu.ui.pages.keyset import page_of

BASE = timezone.now().replace(microsecond=0)
values = st.lists(st.tuples(st.integers(0, 3), st.one_of(st.none(), st.integers(0, 2))), max_size=25)


class Paging(TestCase):
    @settings(max_examples=40)
    @given(
        rows=values,
        size=st.integers(1, 7),
        order=st.sampled_from(["done", "-done", "finished_at", "-finished_at", "pk"]),
    )
    def test_every_row_once_in_order_and_back(self, rows, size, order):
        Operation.objects.bulk_create(
            Operation(
                kind="t", title=str(n), path="000", audience="staff", actor="x", done=done, state="waiting" if at is None else "failed",
                finished_at=None if at is None else BASE + timedelta(days=at),
            )
            for n, (done, at) in enumerate(rows)
        )  # fmt: skip
        everything = list(Operation.objects.filter(kind="t"))
        down, field = order.startswith("-"), order.lstrip("-")

        def rank(row):
            value = getattr(row, field)
            number = 0 if value is None else value.timestamp() if field == "finished_at" else value
            return (value is None, -number if down else number, -row.pk if down else row.pk)

        expected = [r.pk for r in sorted(everything, key=rank)]
        pages, after = [], ""
        while True:
            part = page_of(Operation.objects.filter(kind="t"), order, size, after=after)
            pages.append([r.pk for r in part.rows])
            assert part.start == sum(map(len, pages[:-1])) + 1
            if not part.after:
                break
            after = part.after
        assert [pk for page in pages for pk in page] == expected
        back = [pages[-1]]
        before = part.before
        while before:
            part = page_of(Operation.objects.filter(kind="t"), order, size, before=before)
            back.insert(0, [r.pk for r in part.rows])
            before = part.before
        assert [pk for page in back for pk in page] == expected

    @settings(max_examples=60)
    @given(st.text(max_size=30))
    def test_no_text_is_more_than_a_damaged_cursor(self, text):
        try:
            page_of(Operation.objects.all(), "done", 5, after=text)
        except Invalid:
            pass
        else:
            assert text == ""
