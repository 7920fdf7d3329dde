"""Where the voices are, below a product."""

from django.urls import path

from .pages import inbox, item
from .themes import pages as themes

pages = [
    path("voices", inbox.inbox, name="voices"),
    path("voices/new", item.heard, name="heard"),
    path("voices/imports", item.imports, name="feedback_imports"),
    path("voices/imports/<int:run_id>/undo", item.undo_import, name="undo_import"),
    path("voices/opportunities", inbox.opportunity_options, name="opportunity_options"),
    path("themes", themes.themes, name="themes"),
    path("themes/find", themes.find, name="find_themes"),
    path("THM-<int:number>", themes.theme, name="theme"),
    *(
        path(f"THM-<int:number>/{verb}", themes.change, {"verb": verb}, name=f"theme_{verb.replace('-', '_')}")
        for verb in themes.VERBS
    ),
    *(
        path(f"THM-<int:number>/<str:ref>/{answer}", themes.judge, {"answer": answer}, name=f"theme_{answer}")
        for answer in ("yes", "no")
    ),
    path("FB-<int:number>", item.item, name="feedback_item"),
    path("FB-<int:number>/link", inbox.link, name="link_voice"),
    path("FB-<int:number>/unlink/<str:ref>", inbox.unlink, name="unlink_voice"),
    path("FB-<int:number>/opportunity", item.new_opportunity, name="voice_opportunity"),
    path("FB-<int:number>/put-away", inbox.put_away, name="put_away"),
    path("FB-<int:number>/bring-back", inbox.bring_back, name="bring_back"),
    path("FB-<int:number>/consent", inbox.set_consent, name="set_consent"),
]
