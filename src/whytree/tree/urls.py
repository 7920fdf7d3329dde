from django.urls import path, register_converter

from .pages import acts, diff, drafts, edit, node, today, tree
from .pages.parts import RefConverter

register_converter(RefConverter, "ref")

pages = [
    path("", today.front),
    path("today", today.today, name="today"),
    path("vision", today.set_vision, name="set_vision"),
    path("tree", tree.tree, name="tree"),
    path("tree/add", edit.add, name="root_add"),
    path("tree/diff", diff.show, name="tree_diff"),
    path("tree/advice", tree.advice, name="advice"),
    path("tree/beside", edit.beside, name="beside"),
    path("tree/metric-keys", tree.metric_keys, name="metric_keys"),
    path("drafts/<int:pk>/confirm", drafts.confirm, name="draft_confirm"),
    path("drafts/<int:pk>/discard", drafts.discard, name="draft_discard"),
    path("drafts/<int:pk>/edit", drafts.edit, name="draft_edit"),
    path("notes/<int:note_id>/answer", acts.answer_note, name="note_answer"),
    path("evidence/<int:link_id>/remove", acts.unlink_evidence, name="evidence_remove"),
    path("tickets/<int:link_id>/remove", acts.unlink_ticket, name="ticket_remove"),
    path("<ref:ref>", node.node, name="node"),
    path("<ref:ref>/add", edit.add, name="node_add"),
    path("<ref:ref>/edit", edit.edit, name="node_edit"),
    path("<ref:ref>/move", edit.move, name="node_move"),
    path("<ref:ref>/close", edit.close, name="node_close"),
    path("<ref:ref>/reopen", edit.reopen, name="node_reopen"),
    path("<ref:ref>/notes", acts.add_note, name="node_note"),
    path("<ref:ref>/evidence", acts.link_evidence, name="node_evidence"),
    path("<ref:ref>/tickets", acts.link_ticket, name="node_ticket"),
    path("<ref:ref>/confidence", acts.override_confidence, name="node_confidence"),
    path("<ref:ref>/state", acts.set_state, name="node_state"),
    path("<ref:ref>/focus", acts.set_focus, name="node_focus"),
    path("<ref:ref>/start", acts.start_test, name="test_start"),
    path("<ref:ref>/session", acts.record_session, name="test_session"),
    path("<ref:ref>/conclude", acts.conclude_test, name="test_conclude"),
]

root = [path("p/<slug:product>", today.front)]
