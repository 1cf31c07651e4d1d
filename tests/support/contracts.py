"""Import contracts of our own for import-linter (``.importlinter``)."""

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output


class DoorsContract(Contract):
    """A room (a direct child of one of ``floors``) imports another room only through its ``doors``, or a part of them.

    ``exceptions`` lists "importer -> imported" pairs that are allowed for a reason written beside them; one that no
    import needs any more breaks the contract too.
    """

    floors = fields.ListField(subfield=fields.StringField())
    doors = fields.ListField(subfield=fields.StringField())
    exceptions = fields.ListField(subfield=fields.StringField(), required=False, default=[])

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        """Look at every direct import once."""
        allowed = {tuple(part.strip() for part in line.split("->")) for line in self.exceptions}
        unused, broken = set(allowed), []
        for importer in sorted(graph.modules):
            room = self._room(importer)
            if room is None:
                continue
            for imported in sorted(graph.find_modules_directly_imported_by(importer)):
                other = self._room(imported)
                if other in {None, room} or self._through_a_door(other, imported):
                    continue
                unused.discard((importer, imported))
                if (importer, imported) not in allowed:
                    broken.append((importer, imported))
        return ContractCheck(kept=not broken and not unused, metadata={"broken": broken, "unused": sorted(unused)})

    def _room(self, module: str) -> str | None:
        for floor in self.floors:
            if module.startswith(floor + "."):
                return ".".join(module.split(".")[: floor.count(".") + 2])
        return None

    def _through_a_door(self, room: str, imported: str) -> bool:
        return any(imported == f"{room}.{door}" or imported.startswith(f"{room}.{door}.") for door in self.doors)

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Say each import that goes round the doors."""
        for importer, imported in check.metadata["broken"]:
            output.print_error(f"{importer} -> {imported}: go through {', '.join(self.doors)}", bold=False)
        for importer, imported in check.metadata["unused"]:
            output.print_error(f"exception {importer} -> {imported} is not needed any more: remove it", bold=False)
