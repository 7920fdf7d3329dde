from django.urls import path

from .pages import account, activity, entry, keys, members, products, provider, second_factor

pages = [
    path("settings", products.product_settings, name="product_settings"),
    path("settings/members", members.members, name="members"),
    path("settings/members/<int:user_id>", members.set_member, name="set_member"),
    path("settings/members/<int:user_id>/remove", members.remove_member, name="remove_member"),
    path("settings/invitations/<int:invitation_id>/revoke", members.revoke_invitation, name="revoke_invitation"),
    path("settings/keys", keys.keys, name="keys"),
    path("settings/keys/<int:key_id>/revoke", keys.revoke, name="revoke_key"),
    path("activity", activity.activity, name="activity"),
    path("activity/<int:activity_id>/undo", activity.undo, name="undo"),
]

root = [
    path("first-run", entry.first_run, name="first_run"),
    path("sign-in", entry.sign_in, name="sign_in"),
    path("sign-in/code", entry.second_step, name="second_step"),
    path("sign-in/provider", provider.begin, name="provider"),
    path("sign-in/provider/back", provider.back, name="provider_back"),
    path("sign-in/<str:token>", entry.sign_in_link, name="sign_in_link"),
    path("sign-out", entry.sign_out, name="sign_out"),
    path("sign-out/others", account.sign_out_others, name="sign_out_others"),
    path("invite/<str:token>", entry.invitation, name="invite"),
    path("products", products.products, name="products"),
    path("tokens", account.tokens, name="tokens"),
    path("tokens/<int:key_id>/revoke", account.revoke_token, name="revoke_token"),
    path("password", account.password, name="password"),
    path("second-factor", second_factor.second_factor, name="second_factor"),
    path("second-factor/codes", second_factor.renew_codes, name="renew_recovery_codes"),
    path("second-factor/off", second_factor.turn_off, name="turn_off_second_factor"),
]
