"""The event store: the only place that speaks SQL to ClickHouse, in this process (chDB) or elsewhere.

Others ask the functions of a file named after their subject (`timeline`, `catalogue`, ...), or bring readable SQL of
their own here: `stores.events.store().query(...)`. Nothing outside `connection` knows which of the two engines answers.
"""
