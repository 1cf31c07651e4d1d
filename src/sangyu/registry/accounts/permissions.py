from django.utils.translation import gettext_lazy as _

PERMISSIONS = {
    "accounts.view": _("See accounts and their roles"),
    "accounts.manage": _("Create, change, disable accounts and reset passwords"),
    "accounts.grant": _("Give and end roles"),
    "accounts.unlock": _("Unlock accounts and remove a lost second factor"),
    "accounts.tokens": _("Revoke any API token and create tokens for system accounts"),
    "accounts.log": _("Read the sign-in log"),
    "accounts.own_tokens": _("Create API tokens for oneself"),
    "accounts.acts": _("See the delegation log and hand-overs of work"),
    "accounts.messages": _("See the outbox of short messages"),
}
