"""Conditions that Django does not have; registered when the kernel's app is ready."""

from django.db.models import IntegerField, Lookup


@IntegerField.register_lookup
class Among(Lookup):
    """``pk__among=[…]``: one of many numbers, given as one array. ``in`` writes a parameter for each, a thousand of which cost
    more than the query."""

    lookup_name = "among"
    prepare_rhs = False

    def as_sql(self, compiler, connection):
        left, params = self.process_lhs(compiler, connection)
        return f"{left} = ANY(%s::bigint[])", [*params, list(self.rhs)]
