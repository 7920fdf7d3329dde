"""The onboarding story: a sign-up form whose friction nobody had validated, told through the public doors.

story.py         the constants: calendar, true effects, who is who
world.py         20,000 people and what they do, from a seed (pure)
words.py         what people write
transcripts.py   what five of them say in an interview
voices.py        who said which of it, where and when (pure)
repository.py    the app's small git repository
delivery.py      what of it went out when, and the release that crashed
script/          what the team did, act by act
clock.py         makes it "then" while an act of the past is played
loader.py        plays all of it in the order in which it happened
report.py        reads back what there is to find
commands.py      whytree demo
"""
