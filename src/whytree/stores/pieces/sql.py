"""Pieces of SQL that mean the same everywhere."""

# Who an event belongs to, after all ids of a person were joined: group by this, never by `person`.
# `person` itself is a hash of the id that came with the event and is never rewritten (it is part of the sorting key).
PERSON = "dictGetOrDefault('person_overrides_now', 'canonical', person, person)"

# The events of {persons:Array(UInt64)}, who are canonical. Their ids are what the table is sorted by: named, they keep the
# engine from reading everybody's events; some id may have been joined to another person since, so who they are is asked too.
OF_PERSONS = f"""person IN (
    SELECT arrayJoin({{persons:Array(UInt64)}})
    UNION ALL
    SELECT person FROM person_overrides
    WHERE product = {{product:UInt32}} AND canonical IN {{persons:Array(UInt64)}}
) AND {PERSON} IN {{persons:Array(UInt64)}}"""

# A template says PREWHERE for the event's name alone and WHERE for the rest: left to itself the engine also tests times and
# bots before it knows the event, of every row there is. Over 20 million that is a third of a trend, a sixth of a funnel.

# What says who somebody is or which variant they met; a person's own doings are the others.
INTERNAL_EVENTS = (
    *("$identify", "$alias", "$group", "$exposure"),
    *("$set", "$set_once", "$create_alias", "$merge_dangerously", "$groupidentify"),  # as PostHog's libraries say it
    *("$feature_flag_called", "$experiment_exposure"),
)

# What clients call the group that is a company; of several on one event the first counts. The store's column
# `events.company_said` is made of them, so another one needs a migration there.
COMPANY_TYPES = ("company", "organization", "organisation", "account", "workspace", "team")

# Whatever is asked about people leaves bots out. The engine adds it to every read of the table: as fast as written out.
PEOPLE = {"additional_table_filters": "{'events': 'NOT bot'}"}

# Days before 1970 are days too.
CALENDAR = {"enable_extended_results_for_datetime_functions": 1, **PEOPLE}

# Twice the rows at once, as far as their properties allow it: a tenth less work (docs/decisions/0054).
IN_LARGE_BLOCKS = {"max_block_size": 131_072, "preferred_block_size_bytes": 16_000_000}

# What a person asks on a page may take this long; longer, and it is the engine's other work that waits.
ASKING = {"max_execution_time": 30, **IN_LARGE_BLOCKS, **CALENDAR}
