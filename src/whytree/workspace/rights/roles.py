"""Who may do what (role) and who sees from where (discipline)."""

from django.db.models import TextChoices


class Role(TextChoices):
    """What a member may do in one product; each role may do all that the ones before it may."""

    VIEWER = "viewer", "Viewer: reads everything"
    MEMBER = "member", "Member: writes in the tree, the voices, the flags"
    MAINTAINER = "maintainer", "Maintainer: keys, imports, repositories"
    OWNER = "owner", "Owner: members and the product itself"

    @property
    def rank(self) -> int:
        return list(Role).index(self)

    def covers(self, wanted: "Role") -> bool:
        return self.rank >= wanted.rank


class Discipline(TextChoices):
    """Drives lenses and blind estimates; gives no rights."""

    ENGINEERING = "engineering", "Engineering"
    PRODUCT = "product", "Product"
    DESIGN = "design", "Design"
    MARKETING = "marketing", "Marketing"
    SALES = "sales", "Sales"
    SUPPORT = "support", "Support"
    RESEARCH = "research", "Research"
    OTHER = "other", "Other"
