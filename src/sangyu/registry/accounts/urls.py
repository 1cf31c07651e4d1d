from django.urls import path

from sangyu.ui.pages import paths

from . import door, own, pages, pages_bulk

app_name = "accounts"

urlpatterns = [
    path("sign-in/", door.sign_in_page, name="sign_in"),
    path("phone/", door.phone_page, name="phone"),
    path("code/", door.code_page, name="code"),
    path("passkey/options/", door.passkey_options, name="passkey_options"),
    path("passkey/", door.passkey_answer, name="passkey_answer"),
    path("oidc/<slug:provider>/", door.oidc_begin, name="oidc_begin"),
    path("oidc/<slug:provider>/back/", door.oidc_back, name="oidc_back"),
    path("me/passkeys/", own.passkeys_page, name="passkeys"),
    path("me/passkeys/options/", own.passkey_new_options, name="passkey_new_options"),
    path("me/passkeys/new/", own.passkey_new, name="passkey_new"),
    path("me/passkeys/<int:pk>/rename/", own.passkey_rename, name="passkey_rename"),
    path("me/passkeys/<int:pk>/remove/", own.passkey_remove, name="passkey_remove"),
    path("me/links/<slug:provider>/", own.link_page, name="link"),
    path("me/links/<slug:provider>/remove/", own.unlink, name="unlink"),
    path("sign-out/", door.sign_out, name="sign_out"),
    path("role/", door.choose_grant, name="choose_grant"),
    path("password/", own.password_page, name="password"),
    path("second-factor/", own.second_factor_page, name="second_factor"),
    path("me/", own.me, name="me"),
    path("me/sessions/<slug:key>/end/", own.end_session, name="end_session"),
    path("me/language/", own.set_language, name="set_language"),
    path("me/tokens/<int:pk>/revoke/", own.revoke_own_token, name="revoke_own_token"),
    *paths(
        pages.AccountList,
        pages.AccountNew,
        pages.TokenList,
        pages.TokenRevoke,
        pages.OwnTokenNew,
        pages.SignInLog,
        pages.MessageList,
        pages.GrantEnd,
        pages.AccountDetail,
        pages.AccountEdit,
        pages.AccountDisable,
        pages.AccountEnable,
        pages.AccountReset,
        pages.AccountUnlock,
        pages.AccountRemoveFactor,
        pages.GrantNew,
        pages.SystemTokenNew,
        pages_bulk.AccountsImport,
        pages_bulk.LinksImport,
        pages_bulk.FirstCodes,
        pages_bulk.DelegationLog,
        pages_bulk.HandOver,
        pages_bulk.HandoverList,
        pages_bulk.HandoverDetail,
    ),
]
