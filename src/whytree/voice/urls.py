"""Where the voices are, below a product."""

from django.urls import path

from .arriving import widget
from .board import pages as board_pages
from .board import public as board
from .incoming import door as incoming
from .interviews.pages import guides, recruiting, snapshots, talks, words
from .pages import acts, imports, inbox, item, loop, sorting
from .replies import pages as replies
from .rounds import pages as rounds
from .surveys import inpage, public
from .surveys import pages as surveys
from .themes import pages as themes
from .weighing import pages as weighing

pages = [
    path("voices", inbox.inbox, name="voices"),
    path("voices/new", item.heard, name="heard"),
    path("voices/new/said-before", item.said_before, name="said_before"),
    path("voices/imports", imports.imports, name="feedback_imports"),
    path("voices/imports/settings", imports.voice_settings, name="voice_settings"),
    path("voices/imports/webhook", imports.webhook, name="feedback_webhook_secret"),
    path("voices/imports/<int:run_id>", imports.import_run, name="import_run"),
    path("voices/imports/mappings/remove", imports.remove_mapping, name="remove_mapping"),
    path("voices/imports/<int:run_id>/columns", imports.look_again, name="look_again"),
    path("voices/imports/<int:run_id>/keep-mapping", imports.keep_mapping, name="keep_mapping"),
    path("voices/imports/<int:run_id>/begin", imports.begin, name="begin_import"),
    path("voices/imports/<int:run_id>/go-on", imports.go_on, name="go_on_import"),
    path("voices/imports/<int:run_id>/put-back", imports.put_back, name="put_back_personal"),
    path("voices/imports/<int:run_id>/close", imports.close, name="close_import"),
    path("voices/imports/<int:run_id>/undo", imports.undo_import, name="undo_import"),
    path("voices/opportunities", inbox.opportunity_options, name="opportunity_options"),
    path("weighed", weighing.weighed, name="weighed"),
    path("weighed/revenue-trait", weighing.revenue_trait, name="revenue_trait"),
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
    path("interviews", talks.interviews, name="interviews"),
    path("interviews/new", talks.new_interview, name="new_interview"),
    path("interviews/map", snapshots.experience_map, name="experience_map"),
    path("interviews/guides", guides.guides, name="guides"),
    path("interviews/guides/new", guides.guide, name="new_guide"),
    path("interviews/guides/<int:pk>", guides.guide, name="guide"),
    path("interviews/guides/<int:pk>/remove", guides.remove_guide, name="remove_guide"),
    path("interviews/recruit", recruiting.recruit, name="recruit"),
    path("interviews/recruit/invite", recruiting.invite, name="invite_to_talk"),
    path("interviews/recruit/settings", recruiting.contact_settings, name="contact_settings"),
    path("interviews/recruit/wish", recruiting.wish, name="contact_wish"),
    path("INT-<int:number>/calendar.ics", recruiting.calendar, name="interview_calendar"),
    path("INT-<int:number>", talks.interview, name="interview"),
    path("INT-<int:number>/about", talks.about_interview, name="about_interview"),
    path("INT-<int:number>/remove", talks.remove_interview, name="remove_interview"),
    path("INT-<int:number>/import", words.import_transcript, name="import_transcript"),
    path("INT-<int:number>/transcript", words.edit_transcript, name="edit_transcript"),
    path("INT-<int:number>/snapshot", snapshots.snapshot, name="snapshot"),
    path("INT-<int:number>/snapshot/edit", snapshots.edit_snapshot, name="edit_snapshot"),
    path("INT-<int:number>/mark", words.mark, name="mark_talk"),
    *(
        path(f"INT-<int:number>/marks/<int:pk>/{verb}", words.change_mark, {"verb": verb}, name=f"mark_{verb}")
        for verb in words.VERBS
    ),
    path("INT-<int:number>/unlink/<str:ref>", words.unlink, name="unlink_talk"),
    path("voices/export.<str:form>", inbox.export, name="export_voices"),
    path("usability", rounds.rounds, name="usability_rounds"),
    path("usability/new", rounds.plan, name="plan_round"),
    path("USR-<int:number>", rounds.usability_round, name="usability_round"),
    path("USR-<int:number>/edit", rounds.plan, name="edit_round"),
    path("USR-<int:number>/act", rounds.act, name="act_on_round"),
    path("USR-<int:number>/watch/<int:person>", rounds.watch, name="watch"),
    path("voices/board", board_pages.manage, name="manage_board"),
    path("voices/board/run", board_pages.run, name="run_board"),
    path("voices/board/<str:ref>", board_pages.act, name="act_on_board"),
    path("surveys", surveys.surveys, name="surveys"),
    path("surveys/new", surveys.new_survey, name="new_survey"),
    path("SUR-<int:number>", surveys.survey, name="survey"),
    path("SUR-<int:number>/edit", surveys.edit_survey, name="edit_survey"),
    path("SUR-<int:number>/act", surveys.act, name="survey_act"),
    path("SUR-<int:number>/responses.csv", surveys.table, name="survey_table"),
    path("SUR-<int:number>/results.json", surveys.document, name="survey_document"),
    path("voices/triage", acts.triage, name="triage_voices"),
    path("voices/undo", acts.undo, name="undo_voices"),
    path("voices/views", sorting.save_view, name="save_view"),
    path("voices/views/<int:view_id>/remove", sorting.remove_view, name="remove_view"),
    path("voices/statuses", sorting.statuses, name="voice_statuses"),
    path("voices/replies", replies.ways, name="reply_ways"),
    path("SOL-<int:number>/requesters", loop.requesters, name="requesters"),
    path("SOL-<int:number>/requesters/act", loop.act, name="requesters_act"),
    path("FB-<int:number>", item.item, name="feedback_item"),
    path("FB-<int:number>/screenshot", item.screenshot, name="feedback_screenshot"),
    path("FB-<int:number>/screenshot/remove", item.remove_screenshot, name="remove_screenshot"),
    path("FB-<int:number>/link", acts.link, name="link_voice"),
    path("FB-<int:number>/unlink/<str:ref>", acts.unlink, name="unlink_voice"),
    path("FB-<int:number>/opportunity", item.new_opportunity, name="voice_opportunity"),
    path("FB-<int:number>/remarks", acts.remark, name="remark_voice"),
    path("FB-<int:number>/remarks/<int:remark_id>/remove", acts.remove_remark, name="remove_remark"),
    path("FB-<int:number>/put-away", acts.put_away, name="put_away"),
    path("FB-<int:number>/bring-back", acts.bring_back, name="bring_back"),
    path("FB-<int:number>/marks/<int:pk>/tag", acts.tag_mark, name="tag_mark"),
    path("FB-<int:number>/consent", acts.set_consent, name="set_consent"),
]

root = [
    path("v1/feedback", widget.feedback, name="feedback_widget"),
    path("v1/feedback/<slug:slug>", incoming.take, name="feedback_webhook"),
    path("v1/surveys", inpage.surveys, name="surveys_in_page"),
    *(
        path(f"v1/surveys/SUR-<int:number>/{verb}", inpage.tell, {"verb": verb}, name=f"survey_{verb}")
        for verb in ("shown", "dismissed", "answer")
    ),
    path("ideas/stop/<str:token>", board.stop, name="board_stop"),
    path("ideas/<slug:slug>", board.board, name="public_board"),
    path("ideas/<slug:slug>/new", board.new_post, name="board_new"),
    path("ideas/<slug:slug>/similar", board.similar, name="board_similar"),
    path("ideas/<slug:slug>/feed.atom", board.feed, name="board_feed"),
    path("ideas/<slug:slug>/confirm/<str:token>", board.confirm, name="board_confirm"),
    path("ideas/<slug:slug>/<int:number>", board.post, name="board_post"),
    path("ideas/<slug:slug>/<int:number>/vote", board.vote, name="board_vote"),
    path("ideas/<slug:slug>/<int:number>/comment", board.comment, name="board_comment"),
    path("replies/<str:token>.atom", replies.feed, name="replies_feed"),
    path("replies/stop/<str:token>", replies.stop, name="stop_replies"),
    path("survey/<str:token>", public.answer_survey, name="answer_survey"),
    path("leave-alone/<str:token>", recruiting.leave_alone, name="leave_alone"),
    path("solved/<str:token>", loop.did_it_solve, name="did_it_solve"),
]
