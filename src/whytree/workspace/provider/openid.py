"""OpenID Connect Core 1.0, the authorization code flow, with PKCE (RFC 7636): who does the provider say this is?

Knows nothing of accounts. The issuer is the operator's word and may be anywhere; an address that the issuer names on another
host is called like one that a person typed: public, and with TLS.
"""

import base64
import hashlib
import json
import re
import secrets
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode, urlsplit

from django.conf import settings
from django.core.cache import cache
from django.utils.crypto import constant_time_compare

from whytree.errors import Invalid, Unavailable
from whytree.workspace.outside import outgoing

if TYPE_CHECKING:
    from jwt import PyJWK

KEPT_SECONDS = 60 * 60  # what the provider says of itself
KEYS_AGAIN_SECONDS = 30  # how often a key that we do not know makes us ask for its keys
UNDER_WAY_SECONDS = 10 * 60  # for typing a password there
LEEWAY_SECONDS = 60  # between its clock and ours
# Signatures by a key of the provider's. Not HS256, whose key is our own secret, and never "none".
ALGORITHMS = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"})
LONGEST_SUBJECT = 255  # Core, 2
LONGEST_EMAIL = 254
_TOKEN = re.compile(r"[!-~]{1,16000}")
_CONFIGURATION = "oidc:configuration"
_KEYS = "oidc:keys"
_ASKED_FOR_KEYS = "oidc:asked-for-keys"


@dataclass(frozen=True)
class Claims:
    """What an id_token says, once it is believed."""

    issuer: str
    subject: str
    email: str = ""
    is_verified: bool = False
    name: str = ""
    groups: frozenset[str] = frozenset()


@dataclass(frozen=True)
class UnderWay:
    """What the browser's session keeps until the provider sends it back; used once."""

    state: str
    nonce: str
    verifier: str
    back: str
    until: float
    next: str = ""
    invitation: str = ""


def is_configured() -> bool:
    return bool(settings.WHYTREE.oidc_issuer)


def provider_name() -> str:
    """What people call it."""
    return str(settings.WHYTREE.oidc_name or urlsplit(settings.WHYTREE.oidc_issuer).hostname)


def begin(*, back: str, next_page: str = "", invitation: str = "") -> tuple[str, dict[str, Any]]:
    """Where to send the browser, and what its session keeps. `back` is our own address for the answer."""
    found = _configuration()
    state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    until = time.time() + UNDER_WAY_SECONDS
    under_way = UnderWay(state, nonce, verifier, back, until, next_page, invitation)
    scopes = ["openid", "email", "profile"]
    if settings.WHYTREE.oidc_groups and "groups" in _strings(found.get("scopes_supported")):
        scopes.append("groups")
    asked = {
        "response_type": "code",
        "client_id": settings.WHYTREE.oidc_client_id,
        "redirect_uri": back,
        "scope": " ".join(scopes),
        "state": state,
        "nonce": nonce,
        "code_challenge": _challenge(verifier),
        "code_challenge_method": "S256",
    }
    address = found["authorization_endpoint"]
    return f"{address}{'&' if '?' in address else '?'}{urlencode(asked)}", asdict(under_way)


def _challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


def finish(kept: Mapping[str, Any] | None, answer: Mapping[str, str]) -> tuple[Claims, UnderWay]:
    """Who came back from the provider with `answer`, and what they were about. Raises `Invalid` for all that is not as it must be."""
    under_way = UnderWay(**kept) if kept else None
    if under_way is None or under_way.until < time.time():
        raise Invalid("This sign-in was begun too long ago, or in another browser. Begin again.")
    if not constant_time_compare(under_way.state, answer.get("state", "")):
        raise Invalid("This is not the sign-in that this browser began. Begin again.")
    found = _configuration()
    if answer.get("iss", found["issuer"]) != found["issuer"]:  # RFC 9207
        raise Invalid("The answer is another provider's. Begin again.")
    if "code" not in answer:
        raise Invalid(f"{provider_name()} did not let you in ({_error(answer)}). Try again, or ask who runs it.")
    tokens = _tokens(found, under_way, answer["code"])
    said = _believed(tokens["id_token"], found, under_way.nonce)
    return _claims(_with_userinfo(said, tokens, found)), under_way


def _error(answer: Mapping[str, Any]) -> str:
    """The provider's code for what went wrong, as `access_denied`; it may say nothing else on our page."""
    code = answer.get("error")
    return (
        code
        if isinstance(code, str) and code.isascii() and code.isidentifier() and len(code) < 60
        else "no reason given"
    )


def _tokens(found: Mapping[str, Any], under_way: UnderWay, code: str) -> dict[str, Any]:
    """Exchange the code, which went through the browser, for what only we and the provider see."""
    chosen = settings.WHYTREE
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": under_way.back,
        "code_verifier": under_way.verifier,
    }
    headers = {}
    methods = _strings(found.get("token_endpoint_auth_methods_supported")) or ["client_secret_basic"]
    if not chosen.oidc_client_secret:
        form["client_id"] = chosen.oidc_client_id
    elif "client_secret_basic" in methods:
        pair = f"{quote(chosen.oidc_client_id, safe='')}:{quote(chosen.oidc_client_secret, safe='')}"  # RFC 6749, 2.3.1
        headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
    else:
        form |= {"client_id": chosen.oidc_client_id, "client_secret": chosen.oidc_client_secret}
    status, body = outgoing.call(
        found["token_endpoint"], form=form, headers=headers, own=_is_own(found["token_endpoint"])
    )
    answer = _object(body)
    if status != 200 or not isinstance(answer.get("id_token"), str):
        raise Invalid(f"{provider_name()} gave no id_token ({status}, {_error(answer)}). Begin again.")
    return answer


def _believed(token: str, found: Mapping[str, Any], nonce: str) -> dict[str, Any]:
    """What the token says, once signature, issuer, audience, times and nonce are right (Core 3.1.3.7)."""
    import jwt  # with cryptography a tenth of a second, for which no command waits

    client_id = settings.WHYTREE.oidc_client_id
    try:
        header = jwt.get_unverified_header(token)
        algorithm = header.get("alg")
        if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
            raise jwt.InvalidAlgorithmError(f"signed with {algorithm}")
        said: dict[str, Any] = jwt.decode(
            token,
            _key(header.get("kid"), algorithm, found),
            algorithms=[algorithm],
            audience=client_id,
            issuer=found["issuer"],
            leeway=LEEWAY_SECONDS,
            options={"require": ["iss", "sub", "aud", "exp", "iat", "nonce"]},
        )
    except (jwt.PyJWTError, ValueError, TypeError) as error:  # the latter two where a key is missing, or is none
        raise Invalid(
            f"What {provider_name()} says of you cannot be believed ({type(error).__name__}). Begin again, or ask who runs it."
        ) from error
    audience = said["aud"]
    if isinstance(audience, list) and len(audience) > 1 and said.get("azp") != client_id:
        raise Invalid(f"What {provider_name()} says of you was said to somebody else, too.")
    if not constant_time_compare(said["nonce"], nonce):
        raise Invalid("This is not the sign-in that this browser began. Begin again.")
    if not isinstance(said["sub"], str) or not 0 < len(said["sub"]) <= LONGEST_SUBJECT:
        raise Invalid(f"{provider_name()} does not say who you are.")
    return said


def _with_userinfo(said: dict[str, Any], tokens: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, Any]:
    """Some tell the address, or the groups, only there (Core 5.3). What the token says comes first."""
    wanted = {"email", "groups"} if settings.WHYTREE.oidc_groups else {"email"}
    address, access = found.get("userinfo_endpoint"), tokens.get("access_token")
    if (
        wanted <= said.keys()
        or not isinstance(address, str)
        or not isinstance(access, str)
        or not _TOKEN.fullmatch(access)
    ):
        return said
    status, body = outgoing.call(address, headers={"Authorization": f"Bearer {access}"}, own=_is_own(address))
    told = _object(body) if status == 200 else {}
    if told.get("sub") != said["sub"]:  # somebody else's, or none
        return said
    # An address and whether it is verified are one statement.
    return {**told, **said} if "email" in said else {**said, **told}


def _claims(said: Mapping[str, Any]) -> Claims:
    email = _text(said.get("email")).strip().lower()
    return Claims(
        said["iss"],
        said["sub"],
        email=email if len(email) <= LONGEST_EMAIL else "",
        is_verified=said.get("email_verified") in (True, "true"),  # some say it as text
        name=_text(said.get("name")).strip()[:120],
        groups=frozenset(_strings(said.get("groups"))),
    )


def _key(kid: Any, algorithm: str, found: Mapping[str, Any]) -> "PyJWK":
    """The provider's key of this name. One we do not know may be new: then its keys are asked for again, but not too often."""
    known = _match(cache.get(_KEYS) or [], kid, algorithm)
    if known is None and cache.add(_ASKED_FOR_KEYS, True, KEYS_AGAIN_SECONDS):
        published = [key for key in _list(_get(found["jwks_uri"]).get("keys")) if isinstance(key, dict)]
        cache.set(_KEYS, published, KEPT_SECONDS)
        known = _match(published, kid, algorithm)
    if known is None:
        raise ValueError("no such key")
    return known


def _match(keys: list[dict[str, Any]], kid: Any, algorithm: str) -> "PyJWK | None":
    """Without a name only where there is no choice."""
    fitting = [
        key
        for key in keys
        if key.get("use", "sig") == "sig" and key.get("alg", algorithm) == algorithm and kid in (None, key.get("kid"))
    ]
    if len(fitting) != 1 or fitting[0].get("kty") == "oct":
        return None
    from jwt import PyJWK

    return PyJWK(fitting[0], algorithm)


def _configuration() -> dict[str, Any]:
    """What the provider says of itself (Discovery 1.0), kept for an hour."""
    kept: dict[str, Any] | None = cache.get(_CONFIGURATION)
    issuer = settings.WHYTREE.oidc_issuer
    if kept is not None and kept["issuer"].rstrip("/") == issuer:
        return kept
    found = _get(f"{issuer}/.well-known/openid-configuration")
    names = ("issuer", "authorization_endpoint", "token_endpoint", "jwks_uri")
    if not all(isinstance(found.get(name), str) and found[name] for name in names):
        raise Unavailable(
            f"{provider_name()} does not describe itself as an OpenID provider does. Check WHYTREE_OIDC_ISSUER."
        )
    if found["issuer"].rstrip("/") != issuer:
        raise Unavailable(f"{issuer} says to be another issuer. Check WHYTREE_OIDC_ISSUER.")
    scheme = urlsplit(found["authorization_endpoint"]).scheme
    if scheme != "https" and scheme != urlsplit(issuer).scheme:
        raise Unavailable(f"{provider_name()} wants people to sign in without TLS. Ask who runs it.")
    cache.set(_CONFIGURATION, found, KEPT_SECONDS)
    return found


def _get(url: str) -> dict[str, Any]:
    status, body = outgoing.call(url, own=_is_own(url))
    if status != 200:
        raise Unavailable(f"{provider_name()} does not answer as an OpenID provider does ({status}). Try again.")
    return _object(body)


def _is_own(url: str) -> bool:
    """Whether it is at the very host that the settings name, and no less protected."""
    ours, theirs = urlsplit(settings.WHYTREE.oidc_issuer), urlsplit(url)
    return theirs.hostname == ours.hostname and theirs.scheme in {ours.scheme, "https"}


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        found = None
    return found if isinstance(found, dict) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _strings(value: Any) -> list[str]:
    return [each for each in _list(value) if isinstance(each, str)]
