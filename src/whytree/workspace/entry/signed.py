"""What an address says that needs no sign-in: whoever holds it may do the one thing it is for, and nobody can make one up."""

from django.core import signing

from whytree.errors import NotFound


class SignedLink:
    """Addresses of one kind. `salt` keeps them from being taken for another's; `found_in` is where people have theirs.

    A full stop stands where Django signs with a colon, at which some mail programs end an address.
    """

    def __init__(self, salt: str, found_in: str = "message") -> None:
        self._signer = signing.Signer(salt=salt)
        self._found_in = found_in

    def token(self, said: object) -> str:
        """`said` has no full stop in it: a key, or a letter and a key."""
        return self._signer.sign(str(said)).replace(":", ".", 1)

    def said(self, token: str) -> str:
        """Raises `NotFound` for what we did not sign."""
        try:
            return self._signer.unsign(token.replace(".", ":", 1))
        except signing.BadSignature as error:
            raise NotFound(f"This link is not whole. Open it from the {self._found_in} again.") from error
