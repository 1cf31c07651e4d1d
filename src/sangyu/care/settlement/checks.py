"""What ``sangyu check`` proves about settlement."""

from sangyu.kernel.checks import check

_TOTALS = """
SELECT s.number FROM settlement_statement s LEFT JOIN settlement_statementline l ON l.statement_id = s.id
 WHERE s.state NOT IN ('draft', 'objected', 'discarded') GROUP BY s.id
HAVING (count(l.id), coalesce(sum(l.price), 0), coalesce(sum(l.voucher), 0), coalesce(sum(l.public_pay), 0),
coalesce(sum(l.self_pay), 0))
    IS DISTINCT FROM (s.line_count, s.price, s.voucher, s.public_pay, s.self_pay) ORDER BY s.number LIMIT 20
"""
_PAID = """
SELECT s.number, s.voucher + s.public_pay, coalesce(t.amount, 0) FROM settlement_statement s
  LEFT JOIN (SELECT reference, sum(CASE WHEN kind = 'settlement.pay' THEN amount ELSE -amount END) AS amount
               FROM ledger_transfer WHERE kind IN ('settlement.pay', 'settlement.claim') GROUP BY 1) t ON t.reference = s.number
 WHERE s.state = 'paid' AND s.voucher + s.public_pay <> coalesce(t.amount, 0) ORDER BY s.number LIMIT 20
"""


def _rows(cursor, sql: str) -> list[tuple]:
    cursor.execute(sql)
    return cursor.fetchall()


@check("settlement.totals")
def totals(cursor) -> list[str]:
    """A frozen statement equals its lines; a paid one equals its transfers."""
    found = [f"statement {n}: its totals are not the sums of its lines" for (n,) in _rows(cursor, _TOTALS)]
    return found + [f"statement {n}: {owed} fen owed, {paid} fen paid" for n, owed, paid in _rows(cursor, _PAID)]
