"""Usability rounds after Steve Krug ("Rocket Surgery Made Easy", 2010): watch a few people, fix the worst, look again."""
