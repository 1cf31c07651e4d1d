"""Both ways to read a watch's position give the same message, and a frame alone the same as one among others (R-089, R-092; devices.md §1)."""

from datetime import UTC, datetime

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sangyu.engines.codecs import codec, watch_position
from sangyu.engines.codecs.interface import StreamDecoder
from support.devices import NOW, all_frames

USUAL = "120525,083015,A,31.230416,N,121.473701,E,0.86,12.8,4.0,9,88,63,2310,0,00000018,1,0,460,00,9763,4021,130"
#: What may stand in each place: as usual, as other makers write it, and what cannot be.
_REALS = st.sampled_from(
    ["0", "0.0", "31.230416", " 9.1574736", "-33.480366", "00.000000", "089.99", "91.5", "181.2", ".5", "5.", "1e3", "nan", "", "x", "٣.٥", "+4.0", "12 "]
)  # fmt: skip
_WHOLES = st.sampled_from(
    ["0", "9", "100", "101", "081", "999999999", "1000001", "-1", "", "7.0", "x", " 5", "1_0", "٣"]
)
_STATUS = st.sampled_from(
    ["00000000", "00000018", "0000001f", "00000001", "00004000", "00010000", "0", "00000008 ", "zz", ""]
)
_PLACES = [
    st.sampled_from(["120525", "310225", "000000", "12052", "1205255", ""]), st.sampled_from(["083015", "250000", "x", ""]), st.sampled_from(["A", "V", "a", ""]),
    _REALS, st.sampled_from("NSns"), _REALS, st.sampled_from(["E", "W", "w", ""]), _REALS, _REALS, _REALS, *[_WHOLES] * 5, _STATUS,
]  # fmt: skip
_TAILS = st.sampled_from(
    ["", ",", ",0", ",1,0,460,00,9763,4021,130", ",7,255,460,0,9336,3981,141,9336,3912", ",1,1,234,10,55C0,3B882A2,132,,10", ",x,\n,1",
     ",1,1,246,01,200,13242758,51,2,家,00:8c:54:58:1d:64,-84,Cgates_7137,78:54:2e:e3:71:37,-85,1.7", ",255,0,1"]
)  # fmt: skip


@st.composite
def positions(draw) -> str:
    """Usual but for a few places: nearly all that ``usual`` takes, and all that it must leave."""
    values = USUAL.split(",")[:16]
    for place in draw(st.sets(st.integers(0, 15), max_size=3)):
        values[place] = draw(_PLACES[place])
    return ",".join(values[: draw(st.sampled_from([16] * 9 + [12]))]) + draw(_TAILS)


def frame(content: str, head: str = "3G*8800000015") -> bytes:
    data = content.encode()
    return b"[%s*%04x*%s]" % (head.encode(), len(data), data)


def read_plainly(monkeypatch, data: bytes):
    """The message by the general ways: cut from a buffer, read value by value."""
    with monkeypatch.context() as m:
        m.setattr(watch_position, "usual", lambda *given: None)
        return StreamDecoder.feed(codec("watch").decoder(), data, received_at=NOW)


def test_what_watches_usually_write_is_read_at_one_stroke():
    given = (b"raw", "3G", "8800000015", "", f"UD,{USUAL}".encode(), NOW)
    message = watch_position.usual(*given)
    assert (message.position.latitude, message.position.longitude, message.position.fixed) == (31.230416, 121.473701, True)  # fmt: skip
    assert [r.value for r in message.readings] == [88, 63, 2310]
    assert message.time.utc == datetime(2025, 5, 12, 8, 30, 15, tzinfo=UTC)
    assert message.states == {"outside_fence": False, "inside_fence": False, "worn": True, "moving": True}
    message.states["worn"] = False  # what is given out is nobody else's
    assert watch_position.usual(*given).states["worn"] is True


@settings(deadline=None, max_examples=300)
@given(word=st.sampled_from(["UD", "UD2", "ud2", "UD_LTE", "UD ", "UDé", "WT", "WTX", "AL"]), content=positions(), head=st.sampled_from(["3G*8800000015", "ZJ*014111001350304*0033"]))  # fmt: skip
@example("UD", USUAL, "3G*8800000015")
def test_both_ways_give_the_same_message(word, content, head):
    data = frame(f"{word},{content}", head)
    with pytest.MonkeyPatch.context() as m:
        assert codec("watch").decoder().feed(data, received_at=NOW) == read_plainly(m, data)


@pytest.mark.parametrize("data", all_frames("watch"), ids=lambda data: data[:40].decode("latin-1"))
def test_a_captured_frame_alone_is_read_as_one_among_others(data, monkeypatch):
    assert codec("watch").decoder().feed(data, received_at=NOW) == read_plainly(monkeypatch, data)


@pytest.mark.parametrize(
    "data",
    [
        frame("LK,1]2"), frame("TK,[]]"), frame("UD")[:-1], frame("LK") + b"x", b"[3G*8800000015*0002*LK,]", b"[3G*8800000015*0001*LK]", b"x" + frame("LK"),
        frame("TK," + "]" * 20_000),
    ],
)  # fmt: skip
def test_what_is_not_one_frame_goes_through_the_buffer(data, monkeypatch):
    assert codec("watch").decoder().feed(data, received_at=NOW) == read_plainly(monkeypatch, data)
