"""Amounts in capital characters as papers that pay carry them."""

import pytest

from sangyu.kernel.amounts import in_words


@pytest.mark.parametrize(
    ("fen", "words"),
    [
        (0, "零元整"), (5, "伍分"), (50, "伍角整"), (100, "壹元整"), (105, "壹元零伍分"), (12050, "壹佰贰拾元伍角整"),
        (20000, "贰佰元整"), (100100, "壹仟零壹元整"), (1000000, "壹万元整"), (10050000, "壹拾万零伍佰元整"),
        (1000050005, "壹仟万零伍佰元零伍分"), (10**10 + 100, "壹亿零壹元整"),
        (123456789012, "壹拾贰亿叁仟肆佰伍拾陆万柒仟捌佰玖拾元壹角贰分"),
    ],
)  # fmt: skip
def test_in_words(fen, words):
    assert in_words(fen) == words


def test_nothing_negative():
    with pytest.raises(ValueError, match="-1"):
        in_words(-1)
