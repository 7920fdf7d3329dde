"""The command line's way to the API: over HTTP to a running server, else in this process on the data folder.

    client = connect()
    client.get(f"/products/{client.product}/outcomes")

Which server: ``WHYTREE_URL``, else the one recorded in the data folder (``server.json``), else this process.
Imports nothing heavy until it is needed: a command against a running server loads neither Django nor the engine.
"""

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal

from whytree import options as settings

from . import wire
from .serving import running_server

if TYPE_CHECKING:
    import httpx

TIMEOUT_SECONDS = 120.0
PRODUCT_SETTING = "whytree.product"


class CommandError(Exception):
    """Ends a command: one sentence for the person, exit code 1."""

    def __init__(self, message: str, *, status: int = 0, details: Any = None) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.details = details


@dataclass(frozen=True)
class Choices:
    """What the person said on the command line before the command's own words."""

    product: str = ""
    data: str = ""


_choices = Choices()
_in_process: "Callable[[], httpx.BaseTransport] | None" = None
_owner_maker: "Callable[..., dict[str, str]] | None" = None


def choose(**words: str) -> None:
    """Remember ``--product`` and ``--data`` for this run."""
    global _choices
    _choices = replace(_choices, **{name: value for name, value in words.items() if value})
    if _choices.data:
        os.environ["WHYTREE_DATA"] = _choices.data


def set_in_process(transport: "Callable[[], httpx.BaseTransport]") -> None:
    """The command-line root says how to answer in this process (this module may not import what stands above it)."""
    global _in_process
    _in_process = cache(transport)  # whoever asks again in this process need not set everything up again


def set_owner_maker(maker: "Callable[..., dict[str, str]]") -> None:
    """The command-line root says how the first owner is made on this machine."""
    global _owner_maker
    _owner_maker = maker


def make_first_owner(*, email: str, name: str) -> None:
    """The local owner and their token, in a data folder that has none yet."""
    if _owner_maker is None:
        raise CommandError("There is no owner yet. Make one: whytree owner you@example.org")
    _owner_maker(email=email, name=name)


def needs_an_owner() -> bool:
    """Whether nobody was told who this command line acts for: no server, no token, no local owner."""
    chosen = options()
    return not (chosen.url or chosen.token or owner_token(chosen.data) or running_server(chosen.data))


def chosen_product() -> str:
    """What ``--product`` or ``WHYTREE_PRODUCT`` says."""
    return _choices.product or options().product


def product_of_clone(folder: Path = Path()) -> str:
    """What ``whytree init`` noted in the configuration of the clone at `folder`; "" anywhere else."""
    import subprocess

    command = ["git", "-C", str(folder), "config", "--local", "--get", PRODUCT_SETTING]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return done.stdout.strip()


def options() -> settings.Options:
    try:
        return settings.read()
    except settings.OptionError as error:
        raise CommandError(str(error)) from error


def owner_token(data: Path) -> str:
    try:
        return (data / "owner.token").read_text(encoding="ascii").strip()
    except OSError:
        return ""


class Client:
    """Speaks JSON with the API; every failure is a `CommandError` with the server's own sentence."""

    def __init__(self, http: "httpx.Client | wire.LocalHttp", where: str, product: str = "") -> None:
        self._http = http
        self._product = product
        self.where = where

    def address(self, link: str) -> str:
        """A link as one can open it: below the server that answers, where no public address is set."""
        return f"{self.where.rstrip('/')}{link}" if link.startswith("/") and self.where.startswith("http") else link

    def get(self, path: str, **params: Any) -> Any:
        return self._call("GET", path, params={name: value for name, value in params.items() if value is not None})

    def post(self, path: str, body: Any = None) -> Any:
        return self._call("POST", path, json={} if body is None else body)

    def put(self, path: str, body: Any) -> Any:
        return self._call("PUT", path, json=body)

    def patch(self, path: str, body: Any) -> Any:
        return self._call("PATCH", path, json=body)

    def delete(self, path: str) -> Any:
        return self._call("DELETE", path)

    def download(self, path: str, target: Path, progress: Callable[[int, int], None] = lambda done, size: None) -> None:
        """Save an answer's body as `target` (readable by this user only); it appears only when it is complete."""
        partial = target.with_name(target.name + ".partial")
        try:
            with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                self._save(path, file, progress)
            partial.rename(target)
        except OSError as error:
            raise CommandError(f"{target} cannot be written: {error.strerror}. Nothing was kept.") from error
        finally:
            with suppress(OSError):
                partial.unlink(missing_ok=True)

    def _save(self, path: str, file: IO[bytes], progress: Callable[[int, int], None]) -> None:
        import httpx

        try:
            self._receive(path, file, progress)
        except httpx.TransportError as error:
            raise self._away(error) from error

    def _receive(self, path: str, file: IO[bytes], progress: Callable[[int, int], None]) -> None:
        with self._http.stream("GET", "/api" + path) as response:
            if response.status_code >= 400:
                response.read()
                raise _refusal(response)
            size, done = int(response.headers.get("Content-Length", 0)), 0
            for chunk in response.iter_raw():
                file.write(chunk)
                done += len(chunk)
                progress(done, size)
        if size and done != size:
            raise CommandError("The download broke off. Nothing was kept; try again.")

    @cached_property
    def product(self) -> str:
        """Slug of the product spoken about: the one this client was made for, ``--product``, ``WHYTREE_PRODUCT``, the only
        one, or the one that ``whytree init`` noted in the clone we stand in."""
        chosen = self._product or chosen_product()
        if chosen:
            return chosen
        products = self.get("/products")
        if len(products) == 1:
            return str(products[0]["slug"])
        if not products:
            raise CommandError("There is no product yet. Make one: whytree product add NAME")
        slugs = [product["slug"] for product in products]
        if (of_clone := product_of_clone()) in slugs:
            return of_clone
        names = ", ".join(slugs)
        raise CommandError(f"Which product? Say --product or set WHYTREE_PRODUCT to one of: {names}")

    def _call(self, method: str, path: str, **kwargs: Any) -> Any:
        try:
            response = self._http.request(method, "/api" + path, **kwargs)
        except RecursionError as error:
            raise CommandError("This is nested too deep to be sent.") from error
        except wire.transport_errors() as error:
            raise self._away(error) from error
        if response.status_code >= 400:
            raise _refusal(response)
        return response.json() if response.content else None

    def _away(self, error: Exception) -> CommandError:
        told = str(error).rstrip(".")
        return CommandError(f"{self.where} does not answer: {told}. Is the server running? `whytree doctor` looks.")


def _refusal(response: "httpx.Response | wire.Answer") -> CommandError:
    try:
        body = response.json()
        message, details = str(body.get("message") or body.get("detail")), body.get("details")
    except (ValueError, AttributeError):
        message, details = f"The server answered {response.status_code}.", None
    return CommandError(message, status=response.status_code, details=details)


def connect(token: str = "", via: Literal["cli", "mcp"] = "cli") -> Client:
    """A client for this run, as the person `token` belongs to; left out, as `WHYTREE_TOKEN` or the local owner."""
    chosen = options()
    token = token or chosen.token or owner_token(chosen.data)
    if not token:
        raise CommandError(
            "This command line acts for nobody yet. In your clone: whytree init. On a server, or after a restore: whytree "
            "owner you@example.org. Where one runs elsewhere, set WHYTREE_URL and WHYTREE_TOKEN."
        )
    headers = {"Authorization": f"Bearer {token}", "X-Whytree-Via": via}
    here = "" if chosen.url else running_server(chosen.data)
    if here:
        return Client(wire.LocalHttp(here, headers, TIMEOUT_SECONDS), here)
    return Client(open_http(headers), chosen.url or str(chosen.data))


def open_http(headers: dict[str, str]) -> "httpx.Client":
    """Plain HTTP to the same place, for doors beside the API."""
    import httpx

    chosen = options()
    url = chosen.url or running_server(chosen.data)
    if url:
        return httpx.Client(base_url=url, headers=headers, timeout=TIMEOUT_SECONDS)
    if _in_process is None:
        raise CommandError("No server is running on this data folder. Start one: whytree serve")
    return httpx.Client(base_url=f"http://localhost:{chosen.port}", headers=headers, transport=_in_process())
