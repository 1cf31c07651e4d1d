"""Amounts of money in words, as papers that pay must carry them (大写, 支付结算办法附一)."""

_DIGITS = "零壹贰叁肆伍陆柒捌玖"
_PLACES = ("", "拾", "佰", "仟")
_GROUPS = ("", "万", "亿", "万亿")


def in_words(fen: int) -> str:
    """Fen in capital Chinese characters: 12050 → 壹佰贰拾元伍角整. Raises ValueError when negative or beyond 万亿."""
    if not 0 <= fen < 10**18:
        raise ValueError(f"{fen} fen cannot be written in words")
    yuan, rest = divmod(fen, 100)
    jiao, cents = divmod(rest, 10)
    words = f"{_whole(yuan)}元" if yuan or not rest else ""
    if not rest:
        return words + "整"
    if jiao:
        words += _DIGITS[jiao] + "角"
    elif words:
        words += "零"
    return words + (_DIGITS[cents] + "分" if cents else "整")


def _whole(number: int) -> str:
    if not number:
        return "零"
    words, gap = "", False
    groups = []
    while number:
        number, part = divmod(number, 10_000)
        groups.append(part)
    for place in range(len(groups) - 1, -1, -1):
        part = groups[place]
        if not part:
            gap = bool(words)
            continue
        if words and (gap or part < 1000):
            words += "零"
        words += _four(part) + _GROUPS[place]
        gap = False
    return words


def _four(number: int) -> str:
    words, gap = "", False
    for place in range(3, -1, -1):
        digit = number // 10**place % 10
        if not digit:
            gap = bool(words)
            continue
        words += ("零" if gap else "") + _DIGITS[digit] + _PLACES[place]
        gap = False
    return words
