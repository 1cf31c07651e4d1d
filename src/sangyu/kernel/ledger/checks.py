"""What ``sangyu check`` proves about the ledger. Findings are sentences; an empty list is a pass."""

from ..checks import check

_BALANCES = """
SELECT a.id, a.balance, coalesce(m.total, 0) FROM ledger_account a
  LEFT JOIN (SELECT x.account, sum(x.amount) AS total FROM (
      SELECT debit_id AS account, -amount AS amount FROM ledger_transfer WHERE phase IN ('transfer', 'post', 'correct')
      UNION ALL SELECT credit_id, amount FROM ledger_transfer WHERE phase IN ('transfer', 'post', 'correct')) x GROUP BY 1) m
    ON m.account = a.id
 WHERE a.balance <> coalesce(m.total, 0) ORDER BY a.id LIMIT 20
"""
_RESERVED = """
SELECT a.id, a.reserved_out, coalesce(o.total, 0), a.reserved_in, coalesce(i.total, 0) FROM ledger_account a
  LEFT JOIN (SELECT debit_id, sum(amount) AS total FROM ledger_openreservation GROUP BY 1) o ON o.debit_id = a.id
  LEFT JOIN (SELECT credit_id, sum(amount) AS total FROM ledger_openreservation GROUP BY 1) i ON i.credit_id = a.id
 WHERE a.reserved_out <> coalesce(o.total, 0) OR a.reserved_in <> coalesce(i.total, 0) ORDER BY a.id LIMIT 20
"""
_OPEN = """
SELECT t.id FROM ledger_transfer t
  LEFT JOIN ledger_transfer r ON r.pending_id = t.id LEFT JOIN ledger_openreservation o ON o.transfer_id = t.id
 WHERE t.phase = 'reserve' AND (r.id IS NULL) = (o.transfer_id IS NULL) ORDER BY t.id LIMIT 20
"""
_UNITS = """
SELECT t.id FROM ledger_transfer t JOIN ledger_account d ON d.id = t.debit_id JOIN ledger_account c ON c.id = t.credit_id
 WHERE d.unit <> c.unit ORDER BY t.id LIMIT 20
"""


def _rows(cursor, sql: str) -> list[tuple]:
    cursor.execute(sql)
    return cursor.fetchall()


@check("ledger.sum_zero")
def sum_zero(cursor) -> list[str]:
    """Balances of each unit sum to zero."""
    rows = _rows(
        cursor, "SELECT unit, sum(balance) FROM ledger_account GROUP BY unit HAVING sum(balance) <> 0 ORDER BY unit"
    )
    return [f"unit {unit}: balances sum to {total}, not 0" for unit, total in rows]


@check("ledger.balances")
def balances(cursor) -> list[str]:
    """Each balance equals its transfers, each reserved amount its open reservations."""
    found = [f"account {a}: balance {b}, transfers say {t}" for a, b, t in _rows(cursor, _BALANCES)]
    return found + [
        f"account {a}: reserved {o}/{i}, open reservations say {x}/{y}" for a, o, x, i, y in _rows(cursor, _RESERVED)
    ]


@check("ledger.transfers")
def transfers(cursor) -> list[str]:
    """A reservation is open or ended, never both; both sides of a transfer count the same unit."""
    found = [f"reservation {t}: open and ended, or neither" for (t,) in _rows(cursor, _OPEN)]
    return found + [f"transfer {t}: its accounts count different units" for (t,) in _rows(cursor, _UNITS)]
