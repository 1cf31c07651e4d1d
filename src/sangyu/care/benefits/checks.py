"""What ``sangyu check`` proves about benefit runs."""

from sangyu.kernel.checks import check

_RELEASED = """
SELECT r.number, l.plus, coalesce(t.plus, 0), l.minus, coalesce(t.minus, 0) FROM benefits_run r
  JOIN (SELECT run_id, coalesce(sum(amount) FILTER (WHERE amount > 0), 0) AS plus,
               coalesce(-sum(amount) FILTER (WHERE amount < 0), 0) AS minus
          FROM benefits_line WHERE state = 'released' GROUP BY 1) l ON l.run_id = r.id
  LEFT JOIN (SELECT reference, sum(amount) FILTER (WHERE kind = 'benefits.release') AS plus,
                    sum(amount) FILTER (WHERE kind IN 
                            ('benefits.offset', 'benefits.claim', 'benefits.takeback', 'benefits.recall')) AS minus
               FROM ledger_transfer WHERE kind LIKE 'benefits.%%' AND reference <> '' GROUP BY 1) t ON t.reference = r.number
 WHERE (l.plus, l.minus) IS DISTINCT FROM (coalesce(t.plus, 0), coalesce(t.minus, 0)) ORDER BY r.number LIMIT 20
"""
_TOTALS = """
SELECT r.number FROM benefits_run r LEFT JOIN benefits_line l ON l.run_id = r.id
 WHERE r.state IN ('approved', 'released', 'paid', 'reconciled') GROUP BY r.id
HAVING (count(l.id), coalesce(sum(l.amount) FILTER (WHERE l.state IN ('open', 'released')), 0))
    IS DISTINCT FROM (r.line_count, r.total) ORDER BY r.number LIMIT 20
"""
_UNPAID_LINES = """
SELECT l.id FROM benefits_line l LEFT JOIN benefits_payment p ON p.line_id = l.id
 WHERE l.state = 'released' AND l.amount > 0 AND p.amount + p.offset + p.deducted IS DISTINCT FROM l.amount ORDER BY l.id LIMIT 20
"""
_TWICE = """
SELECT p.id, p.amount, coalesce(sum(t.amount), 0) FROM benefits_payment p
  LEFT JOIN ledger_transfer t ON t.reference = 'payment:' || p.id AND t.kind = 'benefits.paid'
 GROUP BY p.id HAVING coalesce(sum(t.amount), 0) <> CASE WHEN p.state = 'paid' THEN p.amount ELSE 0 END ORDER BY p.id LIMIT 20
"""
_FILES = """
SELECT f.number FROM benefits_paymentfile f LEFT JOIN benefits_fileitem i ON i.file_id = f.id
 GROUP BY f.id HAVING (count(i.id), coalesce(sum(i.amount), 0)) IS DISTINCT FROM (f.item_count, f.total) ORDER BY 1 LIMIT 20
"""
_OWED = """
SELECT c.number, c.amount, coalesce(t.amount, 0) FROM benefits_recovery c
  LEFT JOIN (SELECT reference, sum(CASE kind WHEN 'benefits.undeduct' THEN -amount ELSE amount END) AS amount FROM ledger_transfer
              WHERE kind IN ('benefits.repaid', 'benefits.forgive', 'benefits.deduct', 'benefits.undeduct') GROUP BY 1) t ON t.reference = c.number
 WHERE coalesce(t.amount, 0) <> CASE c.state WHEN 'waived' THEN c.amount ELSE c.repaid END ORDER BY 1 LIMIT 20
"""


def _rows(cursor, sql: str) -> list[tuple]:
    cursor.execute(sql.replace("%%", "%"))
    return cursor.fetchall()


@check("benefits.released")
def released(cursor) -> list[str]:
    """Released lines equal their transfers; an approved run equals its lines."""
    found = [
        f"run {n}: {plus} fen released, the ledger says {out}; {minus} fen over-paid, the ledger says {back}"
        for n, plus, out, minus, back in _rows(cursor, _RELEASED)
    ]
    return found + [f"run {n}: its totals are not the sums of its lines" for (n,) in _rows(cursor, _TOTALS)]


@check("benefits.paid_once")
def paid_once(cursor) -> list[str]:
    """Every released line has one payment of its amount, and every payment went out once or not yet."""
    found = [f"line {pk}: its payment is missing or not its amount" for (pk,) in _rows(cursor, _UNPAID_LINES)]
    return found + [f"payment {pk}: {owed} fen, paid out {paid}" for pk, owed, paid in _rows(cursor, _TWICE)]


@check("benefits.files")
def files(cursor) -> list[str]:
    """A payment file equals its items; a recovery what came back for it."""
    found = [f"payment file {n}: its totals are not the sums of its items" for (n,) in _rows(cursor, _FILES)]
    return found + [
        f"recovery {n}: {owed} fen, the ledger says {back} came back" for n, owed, back in _rows(cursor, _OWED)
    ]
