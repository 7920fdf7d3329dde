"""The event store: the only place that speaks SQL to ClickHouse, in this process (chDB) or elsewhere.

Others ask the functions of a file named after their subject (`questions.trends`, `usage.catalogue`, ...), which ask
`events.store().query(...)`. Nothing outside `engine.connection` knows which of the two engines answers.
"""
