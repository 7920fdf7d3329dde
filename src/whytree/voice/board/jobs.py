"""What is new on a board is told by itself."""

from typing import Any

from whytree.workspace.background.jobs import handler

from .models import News
from .news import JOB
from .telling import tell


@handler(JOB)
def tell_news(payload: dict[str, Any]) -> None:
    """One piece of news; what was taken back meanwhile is no news."""
    news = News.objects.filter(pk=payload["news"]).select_related("remark", "post__item__product").first()
    if news is not None:
        tell(news)
