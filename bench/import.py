"""The roster import against django-import-export, and against what no import can beat: reading the file and COPY.

    make bench NAME=import            (100,000 rows × 20 columns, 3% of them wrong)
    python bench/import.py --rows 10000 --rounds 1

Ours: the file is read, matched, checked and committed by the public services, with everything they do: validation,
encryption, blind indexes, pinyin, search of the register for duplicates, facts, contacts, history by trigger, one transaction.
The register holds persons already (``--registered``), some of whom the roster repeats.

Floor: calamine reads the same file, and the rows that the import left (persons, facts, contacts, history) go by COPY into empty
tables with the same columns, indexes and constraints, without triggers and foreign keys. It also is a plain INSERT … SELECT's
floor: COPY into the tables of the register is not possible under row-level security.

Peer: django-import-export with the same parsers, checks, models and triggers, row by row as its resources do, into the same
register, on a sample of rows; the rate is compared, which favours the peer: its tables stay small.
"""

import argparse
import io
import random
import statistics
import sys
import tempfile
import time
from pathlib import Path

import _roster
from _harness import server, verdict

SETTINGS = "sangyu.runtime.settings.test"
TABLES = ("people_person", "people_personfact", "people_contact", "kernel_change")


def prepared(postgres) -> None:
    """The schema, made by its owner in a process of its own; then Django as the application's role."""
    import os
    import subprocess

    owner = {**os.environ, "SANGYU_TEST_DATABASE_URL": postgres.url("postgres"), "DJANGO_SETTINGS_MODULE": SETTINGS}
    subprocess.run([sys.executable, "-m", "django", "migrate", "--skip-checks", "-v", "0"], env=owner, check=True)
    os.environ |= {"SANGYU_TEST_DATABASE_URL": postgres.url(), "DJANGO_SETTINGS_MODULE": SETTINGS}
    import django

    django.setup()
    from django.conf import settings

    settings.MEDIA_ROOT = Path(tempfile.mkdtemp(prefix="sangyu-bench-files-"))


def regions(postgres) -> None:
    """One county with a street and forty communities, written by the owner."""
    rows = [("000", 0, "中国", "中国", "000000000000"), ("000001", 1, "辽宁省", "辽宁省", "210000000000")]
    rows += [
        ("000001001", 2, "营口市", "营口市", "210800000000"),
        ("000001001001", 3, "站前区", "站前区", "210802000000"),
    ]
    rows += [("000001001001001", 4, "站前街道", "站前区站前街道", "210802001000")]
    rows += [
        (f"000001001001001{n:03d}", 5, f"第{n}社区", f"站前区站前街道第{n}社区", f"210802001{n:03d}")
        for n in range(1, _roster.COMMUNITIES + 1)
    ]
    from datetime import date

    from sangyu.kernel.actor import Actor
    from sangyu.kernel.scoping import scope
    from sangyu.registry.regions.models import Region

    with _as_owner(postgres), scope(Actor.job("bench")):
        made: dict[str, Region] = {}
        for path, level, name, full, code in rows:
            made[path] = Region.objects.create(
                path=path,
                level=level,
                name=name,
                full_name=full,
                code=code,
                parent=made.get(path[:-3]),
                valid_from=date(2000, 1, 1),
            )


class _as_owner:
    """Django's connection as the owner of the tables, for the body."""

    def __init__(self, postgres) -> None:
        self.postgres = postgres

    def __enter__(self):
        from django.db import connections

        self.before = connections["default"].settings_dict["USER"]
        connections["default"].settings_dict["USER"] = "postgres"
        connections.close_all()

    def __exit__(self, *_error):
        from django.db import connections

        connections.close_all()
        connections["default"].settings_dict["USER"] = self.before


def actor():
    from sangyu.kernel.actor import Actor, Audience
    from sangyu.kernel.permissions import every_permission

    return Actor(
        audience=Audience.STAFF,
        path="000001001001",
        name="bench",
        role="bureau",
        account_id=1,
        permissions=every_permission(),
    )


class Upload(io.BytesIO):
    name = "花名册.xlsx"


def ours(data: bytes) -> tuple[float, dict, dict[str, float]]:
    """Seconds for upload, check and commit, with the counts and the seconds of each step."""
    from sangyu.kernel import operations
    from sangyu.kernel.importing import services

    given, steps = {"actor": actor(), "kind": "people.roster"}, {}

    def step(name: str, call):
        began = time.perf_counter()
        answer = call()
        steps[name] = time.perf_counter() - began
        return answer

    pk = step("read", lambda: services.upload(**given, file=Upload(data), at_once=True))
    matching = services.state(**given, import_id=pk).matching
    state = step("check", lambda: services.match(**given, import_id=pk, matching=matching, at_once=True))
    assert state.step == "preview"
    step("commit", lambda: operations.run(services.commit(**given, import_id=pk)))
    state = services.state(**given, import_id=pk)
    assert state.step == "done", state.result
    return sum(steps.values()), state.counts, steps


def floor(postgres, data: bytes, since: int) -> tuple[float, float]:
    """Seconds to read the file with calamine, and to COPY the rows that the import left into tables of the same make."""
    from python_calamine import CalamineWorkbook

    began = time.perf_counter()
    CalamineWorkbook.from_filelike(io.BytesIO(data)).get_sheet_by_index(0).to_python(skip_empty_area=False)
    reading = time.perf_counter() - began
    with postgres.connect("sangyu") as connection:
        kept = {}
        for table in TABLES:
            column = "id"
            connection.execute(f"DROP TABLE IF EXISTS floor_{table}")
            connection.execute(f"CREATE TABLE floor_{table} (LIKE {table} INCLUDING ALL)")
            first = connection.execute(f"SELECT coalesce(max(id), 0) FROM before_{table}").fetchone()[0]
            with connection.cursor().copy(
                f"COPY (SELECT * FROM {table} WHERE {column} > {first}) TO STDOUT (FORMAT binary)"
            ) as out:
                kept[table] = b"".join(bytes(block) for block in out)
        began = time.perf_counter()
        with connection.transaction():
            for table, content in kept.items():
                with connection.cursor().copy(f"COPY floor_{table} FROM STDIN (FORMAT binary)") as into:
                    into.write(content)
        copying = time.perf_counter() - began
        for table in TABLES:
            connection.execute(f"DROP TABLE floor_{table}")
    return reading, copying


def mark(postgres) -> None:
    """Remember which rows are there before an import."""
    with postgres.connect("sangyu") as connection:
        for table in TABLES:
            connection.execute(f"DROP TABLE IF EXISTS before_{table}")
            connection.execute(f"CREATE TABLE before_{table} AS SELECT coalesce(max(id), 0) AS id FROM {table}")


def back(postgres) -> None:
    """Take the imported rows out again, so that every round meets the same register."""
    with postgres.connect("sangyu") as connection:
        connection.execute("SET session_replication_role = replica")
        for table in reversed(TABLES):
            connection.execute(f"DELETE FROM {table} WHERE id > (SELECT id FROM before_{table})")
        connection.execute("TRUNCATE importing_importbatch, importing_importproblem, importing_heldrow CASCADE")
        connection.execute("RESET session_replication_role")
    with postgres.connect("sangyu") as connection:
        connection.execute("VACUUM ANALYZE")


def resource():
    """The same import as a resource of django-import-export: parse, check, look for the person, save, facts, contact."""
    from django.core.exceptions import ValidationError
    from django.utils import timezone
    from import_export import resources

    from sangyu.kernel.errors import BadValue
    from sangyu.registry.people import values
    from sangyu.registry.people.imports import RosterImport
    from sangyu.registry.people.models import Contact, Person, PersonFact
    from sangyu.registry.people.roster import FACTS, PLAIN

    definition = RosterImport(actor(), timezone.localdate())
    known = {h: f for f in definition.fields for h in f.synonyms}
    columns = [(heading, known[heading]) for heading in _roster.HEADINGS]
    today = definition.today

    class Roster(resources.ModelResource):
        class Meta:
            model = Person
            import_id_fields = ["id_index"]
            fields = ["id_index"]
            skip_diff = True
            use_transactions = True

        def before_import_row(self, row, **kwargs):
            given, errors = {}, {}
            for heading, f in columns:
                cell = row.get(heading)
                if cell in (None, "", "—", "/"):
                    if f.required:
                        errors[f.key] = "missing"
                    continue
                try:
                    given[f.key] = f.parser(cell)
                except BadValue as bad:
                    errors[f.key] = bad.message
            number = given.get("id_number")
            if number:
                errors |= values.disagreements(given, number)
            if not given.get("sex") or not given.get("birth_date"):
                errors["sex"] = "missing"
            if given.get("region"):
                place = definition.places.find(given["region"], given.get("street", ""))
                if place.region is None:
                    errors["region"] = place.problem
                given["place"] = place.region
            if errors:
                raise ValidationError({k: [str(v)] for k, v in errors.items()})
            row["given"] = given
            row["id_index"] = values.id_columns(number)["id_index"] if number else None

        def get_instance(self, instance_loader, row):
            given = row["given"]
            if row["id_index"] and (same := Person.objects.filter(id_index=row["id_index"]).first()):
                return same
            Person.objects.filter(name=given["name"], birth_date=given["birth_date"], died_on__isnull=True).first()
            return None

        def skip_row(self, instance, original, row, import_validation_errors=None):
            return instance.pk is not None

        def import_instance(self, instance, row, **kwargs):
            given = row["given"]
            columns = {
                **values.name_columns(given["name"]), **values.id_columns(given.get("id_number")),
                **values.phone_columns(given.get("phone", "")), **{f: given.get(f, "") for f in PLAIN},
            }  # fmt: skip
            for name, value in columns.items():
                setattr(instance, name, value)
            instance.sex, instance.birth_date = given["sex"], given["birth_date"]
            instance.region, instance.path = given["place"], given["place"].path
            instance.source, instance.registered_on = "花名册.xlsx", today

        def after_save_instance(self, instance, row, **kwargs):
            given = row["given"]
            held = {
                "region": str(instance.region_id),
                **{k.value: given[key] for key, k in FACTS.items() if given.get(key)},
            }
            PersonFact.objects.bulk_create(
                PersonFact(
                    subject=instance, path=instance.path, kind=k, value=v, valid_from=today, source=instance.source
                )
                for k, v in held.items()
            )
            if given.get("contact_name"):
                Contact.objects.create(
                    person=instance, path=instance.path, name=given["contact_name"],
                    relation=given.get("contact_relation") or "8", **values.phone_columns(given.get("contact_phone", "")),
                )  # fmt: skip

    return Roster()


def peer(rows: list[list]) -> float:
    """Rows a second of django-import-export."""
    import tablib

    from sangyu.kernel.scoping import scope

    data = tablib.Dataset(*rows, headers=_roster.HEADINGS)
    began = time.perf_counter()
    with scope(actor()):
        result = resource().import_data(data, raise_errors=False, collect_failed_rows=True)
    taken = time.perf_counter() - began
    assert result.totals["new"] > 0.9 * len(rows), result.totals
    return len(rows) / taken


def main() -> int:
    options = argparse.ArgumentParser()
    options.add_argument("--rows", type=int, default=100_000)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--sample", type=int, default=1_000)
    options.add_argument("--registered", type=int, default=10_000)
    asked = options.parse_args()
    with server() as postgres:
        prepared(postgres)
        regions(postgres)
        communities = [f"第{n}社区" for n in range(1, _roster.COMMUNITIES + 1)]
        before = list(_roster.rows_of(asked.registered, communities, start=5_000_000, seed=2))
        _count = ours(_roster.workbook(before))[1]
        repeated = random.Random(3).sample(before, asked.rows // 200)
        rows = [*_roster.rows_of(asked.rows - len(repeated), communities), *repeated]
        data = _roster.workbook(rows)
        print(
            f"{asked.rows:,} rows × {len(_roster.HEADINGS)} columns, {len(data) / 1e6:.1f} MB, {asked.registered:,} registered"
        )
        mark(postgres)
        totals, floors, rates = [], [], []
        for n in range(asked.rounds):
            back(postgres)
            sample = list(_roster.rows_of(asked.sample, communities, start=8_000_000 + n * asked.sample, seed=n))
            rates.append(peer(sample))
            back(postgres)
            taken, counts, steps = ours(data)
            reading, copying = floor(postgres, data, 0)
            totals.append(taken)
            floors.append(reading + copying)
            print(
                f"  round {n + 1}: ours {taken:.1f} s ({', '.join(f'{k} {v:.1f}' for k, v in steps.items())}), "
                f"floor {reading + copying:.1f} s (calamine {reading:.1f}, COPY {copying:.1f}), ratio {taken / floors[-1]:.2f}; "
                f"django-import-export {rates[-1]:,.0f} rows/s on {asked.sample:,} rows, ours {asked.rows / taken:,.0f}, "
                f"ratio {asked.rows / taken / rates[-1]:.1f}",
                flush=True,
            )
        print(f"  counts: {counts}")
        assert counts["rows"] == sum(counts[k] for k in ("new", "changed", "unchanged", "held", "rejected"))
    above = statistics.median(t / f for t, f in zip(totals, floors, strict=True))
    faster = statistics.median(asked.rows / t / r for t, r in zip(totals, rates, strict=True))
    passed = [
        verdict("import", f"{faster:.1f}x", "django-import-export (sample, scaled)", "10.0x", faster >= 10),
        verdict("import", f"{above:.2f}x", "calamine + COPY", "3.00x", above <= 3),
    ]
    return 0 if all(passed) else 1


if __name__ == "__main__":
    sys.exit(main())
