"""Full-text search: one question, two engines. SQLite answers by FTS5, PostgreSQL by `tsvector`.

    matching(FeedbackItem.objects.filter(product=product), parse_query("phone -ios"))

gives the items that match, best first, as a queryset that can be filtered on. The database keeps the index itself (by
triggers, by a generated column), so that no import, undo or erasure can forget it. `ensure_index` makes it; it runs
after every migration, because SQLite drops a table's triggers when a later migration rebuilds the table.

Both engines see the same words: letters and digits, folded (`engines.texts.words.fold`).
"""

from collections.abc import Iterable, Sequence
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connections
from django.db.backends.utils import CursorWrapper
from django.db.models import BooleanField, F, FloatField, Q, QuerySet
from django.db.models.expressions import RawSQL

from whytree.engines.texts.likeness import STEM
from whytree.engines.texts.words import Query, Term, is_unspaced
from whytree.voice.models import FeedbackItem, Transcript

TABLE = "voice_feedbackitem"
INDEX = "voice_search"

_SQLITE = (
    f"""CREATE VIRTUAL TABLE IF NOT EXISTS {INDEX} USING fts5(
        text, author_name, content='{TABLE}', content_rowid='id',
        tokenize="unicode61 remove_diacritics 2", prefix='2 3')""",
    f"""CREATE TRIGGER IF NOT EXISTS {INDEX}_added AFTER INSERT ON {TABLE} BEGIN
        INSERT INTO {INDEX}(rowid, text, author_name) VALUES (new.id, new.text, new.author_name);
        END""",
    f"""CREATE TRIGGER IF NOT EXISTS {INDEX}_removed AFTER DELETE ON {TABLE} BEGIN
        INSERT INTO {INDEX}({INDEX}, rowid, text, author_name) VALUES ('delete', old.id, old.text, old.author_name);
        END""",
    f"""CREATE TRIGGER IF NOT EXISTS {INDEX}_changed AFTER UPDATE OF id, text, author_name ON {TABLE} BEGIN
        INSERT INTO {INDEX}({INDEX}, rowid, text, author_name) VALUES ('delete', old.id, old.text, old.author_name);
        INSERT INTO {INDEX}(rowid, text, author_name) VALUES (new.id, new.text, new.author_name);
        END""",
)

# The same as `engines.texts.words.fold`: NFD takes letters and accents apart, Latin letters lose theirs. A database with the
# plain C locale lowers ASCII only, so the case is ICU's wherever PostgreSQL was built with it.
_ICU = "und-x-icu"
_POSTGRES_WORDS = (
    "regexp_replace(regexp_replace(normalize(regexp_replace(normalize(translate(lower(({said})"
    r"{collate}), 'ς', 'σ'), NFD), '([a-z])[\u0300-\u036f]+', '\1', 'g'), NFC), '[\u0300-\u036f]+', '', 'g'),"
    " '[^[:alnum:]]+', ' ', 'g')"
)
# A tsvector holds a megabyte: of a longer talk the beginning is searched.
_POSTGRES_TALKS = (
    """ALTER TABLE voice_transcript ADD COLUMN IF NOT EXISTS voice_talk_search tsvector
        GENERATED ALWAYS AS (to_tsvector('simple', {talk})) STORED""",
    "CREATE INDEX IF NOT EXISTS voice_talk_search_words ON voice_transcript USING gin (voice_talk_search)",
)
_POSTGRES = (
    f"""ALTER TABLE {TABLE} ADD COLUMN IF NOT EXISTS {INDEX} tsvector
        GENERATED ALWAYS AS (to_tsvector('simple', {{words}})) STORED""",
    f"CREATE INDEX IF NOT EXISTS {INDEX}_words ON {TABLE} USING gin ({INDEX})",
)


def ensure_index(sender: Any = None, using: str = "default", **_: Any) -> None:
    """Make the index where it is missing. Connected to `post_migrate`."""
    connection = connections[using]
    if TABLE not in connection.introspection.table_names():
        return
    with connection.cursor() as cursor:
        for statement in _SQLITE if connection.vendor == "sqlite" else _on_postgres(cursor):
            cursor.execute(statement)
        if connection.vendor == "sqlite":
            _fill_talks(cursor)


TALKS_TABLE = "voice_transcript"
TALKS_INDEX = "voice_talk_search"
_TALKS_SQLITE = (
    f"""CREATE VIRTUAL TABLE IF NOT EXISTS {TALKS_INDEX} USING fts5(
        text, content='{TALKS_TABLE}', content_rowid='interview_id',
        tokenize="unicode61 remove_diacritics 2", prefix='2 3')""",
    f"""CREATE TRIGGER IF NOT EXISTS {TALKS_INDEX}_added AFTER INSERT ON {TALKS_TABLE} BEGIN
        INSERT INTO {TALKS_INDEX}(rowid, text) VALUES (new.interview_id, new.text);
        END""",
    f"""CREATE TRIGGER IF NOT EXISTS {TALKS_INDEX}_removed AFTER DELETE ON {TALKS_TABLE} BEGIN
        INSERT INTO {TALKS_INDEX}({TALKS_INDEX}, rowid, text) VALUES ('delete', old.interview_id, old.text);
        END""",
    f"""CREATE TRIGGER IF NOT EXISTS {TALKS_INDEX}_changed AFTER UPDATE OF interview_id, text ON {TALKS_TABLE} BEGIN
        INSERT INTO {TALKS_INDEX}({TALKS_INDEX}, rowid, text) VALUES ('delete', old.interview_id, old.text);
        INSERT INTO {TALKS_INDEX}(rowid, text) VALUES (new.interview_id, new.text);
        END""",
)


def forget_former_words(index: str, using: str = "default") -> None:
    """Take words that were changed or deleted out of an index's own files, where SQLite keeps them until it joins its parts.

    0.8 s of CPU with 200,000 voices. PostgreSQL's go with its next vacuum.
    """
    connection = connections[using]
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute(f"INSERT INTO {index}({index}) VALUES ('optimize')")


def _fill_talks(cursor: CursorWrapper) -> None:
    """An index that is made over transcripts that were there before knows none of them yet."""
    cursor.execute("SELECT 1 FROM sqlite_master WHERE name = %s", [TALKS_INDEX])
    is_new = cursor.fetchone() is None
    for statement in _TALKS_SQLITE:
        cursor.execute(statement)
    if is_new:
        cursor.execute(f"INSERT INTO {TALKS_INDEX}({TALKS_INDEX}) VALUES ('rebuild')")


def talks_matching(talks: QuerySet[Transcript], query: Query) -> QuerySet[Transcript]:
    """Transcripts that hold all the words, the best match first."""
    if _is_unspaced(query):
        for term in query.terms:
            held = Q(text__icontains=" ".join(term.words))
            talks = talks.exclude(held) if term.excluded else talks.filter(held)
        return talks.order_by("-interview__held_at")
    if connections[talks.db].vendor == "sqlite":
        return talks.extra(  # noqa: S610 - all parts are constants; what is typed is bound
            tables=[TALKS_INDEX],
            where=[f"{TALKS_INDEX} MATCH %s", f"+{TALKS_INDEX}.rowid = {TALKS_TABLE}.interview_id"],
            params=[_fts5(query)],
            select={"rank": f"{TALKS_INDEX}.rank"},
        ).order_by("rank")
    words = "to_tsquery('simple', %s)"
    rank = RawSQL(f"-ts_rank({TALKS_TABLE}.{TALKS_INDEX}, {words})", [_tsquery(query)], FloatField())  # noqa: S611 - as above
    matches = RawSQL(f"{TALKS_TABLE}.{TALKS_INDEX} @@ {words}", [_tsquery(query)], BooleanField())  # noqa: S611 - as above
    return talks.filter(matches).annotate(rank=rank).order_by("rank")


def _on_postgres(cursor: CursorWrapper) -> list[str]:
    cursor.execute("SELECT 1 FROM pg_collation WHERE collname = %s", [_ICU])
    collate = f' COLLATE "{_ICU}"' if cursor.fetchone() else ""
    said = {"words": "left(text, 50000) || ' ' || author_name", "talk": "left(text, 200000)"}
    words = {name: _POSTGRES_WORDS.replace("{said}", text).replace("{collate}", collate) for name, text in said.items()}
    return [statement.format(**words) for statement in (*_POSTGRES, *_POSTGRES_TALKS)]


def matching(items: QuerySet[FeedbackItem], query: Query) -> QuerySet[FeedbackItem]:
    """Those of `items` that match, with `rank`, the best first (smallest rank), then the newest."""
    if _is_unspaced(query):
        return _containing(items, query)
    on_sqlite = connections[items.db].vendor == "sqlite"
    return _ranked(items, _fts5(query) if on_sqlite else _tsquery(query), "-said_at", "-pk")


def _ranked(items: QuerySet[FeedbackItem], typed: str, *then: str) -> QuerySet[FeedbackItem]:
    """Those of `items` that match what is typed in the database's own language, by `rank`, the smallest first, `then` by these."""
    return _weighed(items, typed).order_by("rank", *then)


def _weighed(items: QuerySet[FeedbackItem], typed: str) -> QuerySet[Any]:
    """Those that match, the last that came in first, with `rank`."""
    if connections[items.db].vendor == "sqlite":
        return items.order_by().extra(  # noqa: S610 - all parts are constants; what is typed is bound
            tables=[INDEX],
            # The plus keeps SQLite from looking each item up in the index of words, 200,000 times, instead of
            # walking the matches once and looking each of those up among the items.
            where=[f"{INDEX} MATCH %s", f"+{INDEX}.rowid = {TABLE}.id"],
            params=[typed],
            select={"rank": f"{INDEX}.rank"},
            order_by=[f"-{INDEX}.rowid"],
        )
    words = "to_tsquery('simple', %s)"
    rank = RawSQL(f"-ts_rank({TABLE}.{INDEX}, {words})", [typed], FloatField())  # noqa: S611 - as above
    matches = RawSQL(f"{TABLE}.{INDEX} @@ {words}", [typed], BooleanField())  # noqa: S611 - as above
    return items.filter(matches).annotate(rank=rank).order_by("-pk")


MOST_RANKED = 12_000
"""Voices with the words that are weighed against each other, those that came in last: weighing one takes a microsecond, and of
a word that every other voice holds none holds more than others."""


def best(items: QuerySet[FeedbackItem], query: Query, most: int) -> tuple[list[int], int]:
    """Primary keys of those that match best, as `matching` orders them, and how many match, up to `MOST_RANKED`.

    Where more do, those that came in last are weighed.
    """
    if _is_unspaced(query):
        found = _containing(items, query)
        return list(found.values_list("pk", flat=True)[:most]), found.order_by().values("pk")[:MOST_RANKED].count()
    connection = connections[items.db]
    typed = _fts5(query) if connection.vendor == "sqlite" else _tsquery(query)
    weighed = _weighed(items, typed).values_list("pk", "said_at", "rank")[:MOST_RANKED]
    try:
        sql, params = weighed.query.sql_with_params()
    except EmptyResultSet:  # the filters let nothing through
        return [], 0
    with connection.cursor() as cursor:
        order = f"""SELECT pk, count(*) OVER () FROM ({sql}) AS weighed ORDER BY rank, said_at DESC, pk DESC LIMIT %s"""
        cursor.execute(order, [*params, most])
        found = cursor.fetchall()
    return [int(pk) for pk, _ in found], int(found[0][1]) if found else 0


def how_many_hold(beginnings: Iterable[str], *, most: int) -> dict[str, int]:
    """How many texts hold a word that begins so, in all products; counting one stops at `most` + 1.

    A whole word is meant where it is shorter than `engines.texts.likeness.STEM`.
    """
    on_sqlite = connections["default"].vendor == "sqlite"
    match = f"{INDEX} MATCH %s" if on_sqlite else f"{INDEX} @@ to_tsquery('simple', %s)"
    counting = f"SELECT count(*) FROM (SELECT 1 FROM {INDEX if on_sqlite else TABLE} WHERE {match} LIMIT %s) found"
    held = {}
    with connections["default"].cursor() as cursor:
        for word in beginnings:
            cursor.execute(counting, [_beginning_fts5(word) if on_sqlite else _beginning_tsquery(word), most + 1])
            held[word] = int(cursor.fetchone()[0])
    return held


def holding_any(items: QuerySet[FeedbackItem], beginnings: Sequence[str]) -> QuerySet[FeedbackItem]:
    """Those of `items` that hold one of these, those that hold most and rarer ones first."""
    on_sqlite = connections[items.db].vendor == "sqlite"
    join, spell = (" OR ", _beginning_fts5) if on_sqlite else (" | ", _beginning_tsquery)
    return _ranked(items, join.join(map(spell, beginnings)), "-pk")


def _beginning_fts5(word: str) -> str:
    return f'text : "{word}"' + ("*" if len(word) >= STEM else "")


def _beginning_tsquery(word: str) -> str:
    return f"'{word}'" + (":*" if len(word) >= STEM else "")


def _is_unspaced(query: Query) -> bool:
    return any(is_unspaced(word) for term in query.terms for word in term.words)


def _containing(items: QuerySet[FeedbackItem], query: Query) -> QuerySet[FeedbackItem]:
    """Scripts without spaces have no words to index: the text itself is looked through."""
    for term in query.terms:
        held = Q(text__icontains=" ".join(term.words))
        items = items.exclude(held) if term.excluded else items.filter(held)
    return items.annotate(rank=F("said_at")).order_by("-said_at", "-pk")


def _fts5(query: Query) -> str:
    """FTS5's own language; words are letters and digits only, so nothing a person types can be an operator."""
    wanted = " AND ".join(map(_fts5_term, query.wanted))
    excluded = "".join(f" NOT {_fts5_term(term)}" for term in query.terms if term.excluded)
    return f"({wanted}){excluded}"


def _fts5_term(term: Term) -> str:
    return f'"{" ".join(term.words)}"' + ("" if term.is_whole else "*")


def _tsquery(query: Query) -> str:
    return " & ".join(("!" if term.excluded else "") + _tsquery_term(term) for term in query.terms)


def _tsquery_term(term: Term) -> str:
    words = [f"'{word}'" for word in term.words]
    return "(" + " <-> ".join([*words[:-1], words[-1] + ("" if term.is_whole else ":*")]) + ")"
