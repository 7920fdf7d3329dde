"""The code that asks for a flag, ready to paste."""

from ..models import Flag, Kind

_PYTHON = """\
# pip install openfeature-sdk openfeature-provider-ofrep
import os
from openfeature import api
from openfeature.contrib.provider.ofrep import OFREPProvider
from openfeature.evaluation_context import EvaluationContext

# A capture or server key of this product
headers = {{"Authorization": "Bearer " + os.environ["WHYTREE_KEY"]}}
provider = OFREPProvider("{url}", headers_factory=lambda: headers)
api.set_provider(provider)
flags = api.get_client()

person = EvaluationContext("person-1")  # the id that your events carry
value = flags.{method}("{key}", {default}, person)
"""


def python_snippet(flag: Flag, url: str) -> str:
    """OpenFeature in Python, with this server's address and the method for the flag's type."""
    default = flag.variants[flag.default_variant]
    return _PYTHON.format(url=url, method=_method(flag, default), key=flag.key, default=repr(default))


def _method(flag: Flag, value: object) -> str:
    if flag.kind == Kind.NUMBER:
        return "get_float_value" if isinstance(value, float) else "get_integer_value"
    return {
        Kind.BOOLEAN: "get_boolean_value",
        Kind.STRING: "get_string_value",
        Kind.JSON: "get_object_value",
    }[Kind(flag.kind)]
