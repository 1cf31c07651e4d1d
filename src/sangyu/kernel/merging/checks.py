"""What ``sangyu check`` proves about merges."""

from sangyu.kernel.checks import check

from .rules import Rule, kinds, rules_of

MOST = 20


def _left_behind(cursor, kind: str, rule: Rule) -> list[tuple[int, int, int]]:
    """(row, gone, kept) of rows that count and still point at a gone file, but for those that the merge named as staying."""
    table = rule.table()._meta.db_table
    where = dict(getattr(rule, "where", ()))
    fixed = "".join(f' AND t."{column}" = %s' for column in where)
    cursor.execute(
        f'SELECT t.id, m.gone_id, m.kept_id FROM "{table}" t JOIN merging_merge m ON m.gone_id = t."{rule.pointer()}" '
        f"WHERE m.kind = %s AND m.undone_at IS NULL AND {rule.live}{fixed} "
        "AND NOT m.left @> jsonb_build_array(jsonb_build_object('model', %s::text, 'row', t.id)) ORDER BY t.id LIMIT %s",
        [kind, *where.values(), rule.model, MOST],
    )
    return cursor.fetchall()


@check("merging.nothing_left_behind")
def nothing_left_behind(cursor) -> list[str]:
    """No row that counts points at a file that was merged into another one."""
    return [
        f"{rule.model} {row}: it belongs to {kind} {gone}, which was merged into {kept}"
        for kind in kinds()
        for rule in rules_of(kind)
        if rule.live
        for row, gone, kept in _left_behind(cursor, kind, rule)
    ]
