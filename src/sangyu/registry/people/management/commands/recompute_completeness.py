"""Score all files again after the rules of completeness changed: ``recompute_completeness`` (R-015)."""

from django.core.management.base import BaseCommand

from sangyu.kernel.actor import Actor
from sangyu.kernel.scoping import scope
from sangyu.registry.people.completeness import recompute
from sangyu.registry.people.models import Person


class Command(BaseCommand):
    help = __doc__

    def handle(self, **options) -> None:
        with scope(Actor.job("people.recompute_completeness")):
            changed = recompute(Person.objects.all())
        self.stdout.write(f"{changed} files have another score now")
