"""What one text says, and how alike two are. What many texts are about is found in `themes`.

words          what a search asks for, and where it stands in a text
likeness       how alike two texts are, and by which words
topics         issues that speak of the same thing
issues         a person's own words, apart from what forms and machines put into an issue
metric_names   metrics named in prose
personal       e-mail addresses, phone numbers and the like, found and taken out
telling        the language of a text, and whether it sounds glad or cross
"""
