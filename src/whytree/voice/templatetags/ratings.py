"""How a rating looks."""

from django import template

from whytree.engines.figures import stars

register = template.Library()

register.filter("stars", stars)
