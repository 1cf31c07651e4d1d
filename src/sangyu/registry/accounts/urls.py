from django.urls import path

from sangyu.ui.pages import paths

from . import door, pages

app_name = "accounts"

urlpatterns = [
    path("sign-in/", door.sign_in_page, name="sign_in"),
    path("phone/", door.phone_page, name="phone"),
    path("code/", door.code_page, name="code"),
    path("sign-out/", door.sign_out, name="sign_out"),
    path("role/", door.choose_grant, name="choose_grant"),
    path("password/", door.password_page, name="password"),
    path("second-factor/", door.second_factor_page, name="second_factor"),
    path("me/", door.me, name="me"),
    path("me/sessions/<slug:key>/end/", door.end_session, name="end_session"),
    path("me/language/", door.set_language, name="set_language"),
    path("me/tokens/<int:pk>/revoke/", door.revoke_own_token, name="revoke_own_token"),
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
    ),
]
