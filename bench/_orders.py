"""Made-up orders for a bench: many rows by one statement, consistent with every constraint; never part of the product."""

COLUMNS = (
    "number, region_id, path, person_id, person_name, item_id, item_name, quantity, planned_start, planned_end, address, wishes, "
    "worker_sex, channel, requested_by, fee_tier, market_price, concession, voucher_amount, public_pay, self_pay, price_notes, fee, "
    "hold_round, organisation_id, worker_id, state, requested_at, dispatch_by, accepted_at, arrived_at, done_at, confirmed_at, "
    "confirmed_by, settled_at, closed_at, minutes, comment, flagged, key_account"
)

#: 92 % settled, 4 % confirmed, 3 % cancelled, the rest waits; n is the running number, a a small random number.
_SQL = f"""
WITH
  w AS (SELECT row_number() OVER (ORDER BY id) - 1 AS k, id, organisation_id FROM workforce_worker),
  i AS (SELECT row_number() OVER (ORDER BY id) - 1 AS k, id, name FROM catalogue_serviceitem),
  size AS (SELECT (SELECT count(*) FROM w) AS workers, (SELECT count(*) FROM i) AS items,
                  (SELECT min(id) FROM people_person) AS first, (SELECT max(id) FROM people_person) AS last),
  drawn AS (
    SELECT n, size.first + (n * 7919) %% (size.last - size.first) AS person, (n * 31) %% size.workers AS wk, (n * 17) %% size.items AS ik,
           CASE WHEN n %% 100 < 92 THEN 'settled' WHEN n %% 100 < 96 THEN 'confirmed' WHEN n %% 100 < 99 THEN 'cancelled'
                WHEN n %% 200 = 99 THEN 'received' ELSE 'requested' END AS state,
           date_trunc('hour', now()) - make_interval(days => 1 + (n %% 700)::int, hours => (n %% 9)::int) AS start
      FROM generate_series(1, %s) n, size)
INSERT INTO orders_order ({COLUMNS})
SELECT 'BD' || to_char(d.start, 'YYYYMMDD') || '-' || lpad(d.n::text, 7, '0'), p.region_id, p.path, p.id, p.name, i.id, i.name, 1,
       CASE WHEN d.state IN ('received', 'requested') THEN now() + make_interval(days => (d.n %% 20)::int) ELSE d.start END,
       CASE WHEN d.state IN ('received', 'requested') THEN now() + make_interval(days => (d.n %% 20)::int, mins => 60)
            ELSE d.start + interval '1 hour' END,
       p.address, '', '', 'phone', '演示', 'paid', 3000, 0, 0, 0, 3000, '[]', 0, 0,
       CASE WHEN d.state IN ('settled', 'confirmed') THEN w.organisation_id END,
       CASE WHEN d.state IN ('settled', 'confirmed') THEN w.id END,
       d.state, d.start - interval '1 day', d.start,
       CASE WHEN d.state IN ('settled', 'confirmed') THEN d.start - interval '12 hours' END,
       CASE WHEN d.state IN ('settled', 'confirmed') THEN d.start END,
       CASE WHEN d.state IN ('settled', 'confirmed') THEN d.start + interval '1 hour' END,
       CASE WHEN d.state IN ('settled', 'confirmed') THEN d.start + interval '2 hours' END,
       CASE WHEN d.state IN ('settled', 'confirmed') THEN '老人' ELSE '' END,
       CASE WHEN d.state = 'settled' THEN d.start + interval '10 days' END,
       CASE WHEN d.state = 'cancelled' THEN d.start END,
       CASE WHEN d.state IN ('settled', 'confirmed') THEN 60 END, '', CASE WHEN d.n %% 500 = 0 THEN '无照片' ELSE '' END, 0
  FROM drawn d JOIN people_person p ON p.id = d.person JOIN w ON w.k = d.wk JOIN i ON i.k = d.ik
"""


def make_orders(count: int) -> int:
    """Write about ``count`` orders as the owner of the tables, without history; returns how many there are then."""
    from django.db import connection, transaction

    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE orders_order DISABLE TRIGGER USER")
        cursor.execute(_SQL, [count])
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE orders_order ENABLE TRIGGER USER")
        cursor.execute("ANALYZE orders_order")
        cursor.execute("SELECT count(*) FROM orders_order")
        return cursor.fetchone()[0]
