"""An import contract that import-linter lacks: who may reach a module, however indirectly.

A forbidden list forgets the room that is built next; this one names those who may and refuses everybody else.
"""

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output


class ReachContract(Contract):
    """Kept when every module that reaches `target` is one of `allowed` or lies inside one of them.

    A target or an allowed module that does not exist is no fault: nobody reaches what is not there.
    """

    type_name = "reach"

    target = fields.StringField()
    allowed = fields.SetField(subfield=fields.StringField())

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        target = str(self.target)
        if target not in graph.modules:
            return ContractCheck(kept=True)
        inside = (target, *(str(name) for name in self.allowed))  # type: ignore[attr-defined]
        strangers = [
            module
            for module in sorted(graph.find_downstream_modules(target, as_package=True))
            if not any(module == name or module.startswith(f"{name}.") for name in inside)
        ]
        chains = {
            stranger: graph.find_shortest_chain(importer=stranger, imported=target, as_packages=True)
            for stranger in strangers
        }
        return ContractCheck(kept=not strangers, metadata={"chains": chains})

    def render_broken_contract(self, check: ContractCheck) -> None:
        for stranger, chain in check.metadata["chains"].items():
            output.print_error(f"{stranger} may not reach {self.target}: {' -> '.join(chain or ())}", bold=False)
