"""What ``sangyu check`` proves about vouchers."""

from sangyu.kernel.checks import check


def _rows(cursor, sql: str) -> list[tuple]:
    cursor.execute(sql)
    return cursor.fetchall()


@check("vouchers.accounts")
def accounts(cursor) -> list[str]:
    """Each voucher has its account; an ended one is empty unless a refund waits for the next expiry run."""
    missing = _rows(cursor, "SELECT id FROM vouchers_voucher WHERE account_id IS NULL ORDER BY id LIMIT 20")
    found = [f"voucher {v}: it has no ledger account" for (v,) in missing]
    held = _rows(
        cursor,
        "SELECT v.id, a.reserved_out FROM vouchers_voucher v JOIN ledger_account a ON a.id = v.account_id"
        " WHERE v.state NOT IN ('active', 'lost') AND a.reserved_out > 0 ORDER BY v.id LIMIT 20",
    )
    return found + [f"voucher {v}: it has ended and {fen} fen are held" for v, fen in held]


@check("vouchers.clearing")
def clearing(cursor) -> list[str]:
    """What passes through a programme's account between voucher and provider leaves nothing behind."""
    left = _rows(
        cursor,
        "SELECT owner_id, balance FROM ledger_account WHERE owner_kind = 'voucher_programme' AND purpose = 'spent'"
        " AND balance <> 0 ORDER BY owner_id LIMIT 20",
    )
    return [f"voucher programme {p}: {fen} fen are left between voucher and provider" for p, fen in left]
