"""All acts of the organisations room."""

from .contracts import (
    attach_contract_paper,
    change_contract,
    draft_contract,
    end_contract,
    end_due_contracts,
    sign_contract,
)
from .prices import Line, end_price, load_prices, set_price
from .records import (
    add_capability,
    add_contact,
    add_licence,
    attach_licence_paper,
    end_capability,
    end_licence,
    remove_contact,
    set_mode,
)
from .registration import (
    approve,
    change_organisation,
    describe,
    end,
    rate_organisations,
    register_organisation,
    resume,
    set_operator,
    suspend,
)

__all__ = [
    "Line",
    "add_capability",
    "add_contact",
    "add_licence",
    "approve",
    "attach_contract_paper",
    "attach_licence_paper",
    "change_contract",
    "change_organisation",
    "describe",
    "draft_contract",
    "end",
    "end_capability",
    "end_contract",
    "end_due_contracts",
    "end_licence",
    "end_price",
    "load_prices",
    "rate_organisations",
    "register_organisation",
    "remove_contact",
    "resume",
    "set_mode",
    "set_operator",
    "set_price",
    "sign_contract",
    "suspend",
]
