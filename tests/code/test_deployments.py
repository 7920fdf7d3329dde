"""What went out and what broke: told once by whoever knows, tied to the commits it brought, never guessed."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from whytree.code import services as code
from whytree.code.delivery import queries
from whytree.code.delivery.services import DeploymentFacts, IncidentFacts, add_deployment, add_incident, close_incident
from whytree.code.models import Commit, Deployment, Incident
from whytree.code.services import PushedCommit, Reading
from whytree.errors import Forbidden, Invalid, NotFound
from whytree.workspace.entry.keys import actor_of_user
from whytree.workspace.models import Activity

ROOT = "a" * 40
AT = datetime(2026, 6, 1, 12, tzinfo=UTC)
PATH = "/products/sprout"
DEVLAKE = "/rest/plugins/webhook/connections"


def sha(number: int) -> str:
    return f"{number:040x}"


def day(number: float) -> datetime:
    return AT + timedelta(days=number)


@pytest.fixture
def repository(actor: Any, product: Any) -> Any:
    return code.register_repository(actor, product, name="app", root_sha=ROOT, tracker="github.com/acme/sprout")


@pytest.fixture
def read(actor: Any, repository: Any) -> Any:
    """Read in a history: 1 to 6 in a row, 7 on a branch from 2 that 6 merges."""

    def push(*numbers: int) -> None:
        parents = {1: [], 6: [sha(5), sha(7)], 7: [sha(2)]}
        commits = [
            PushedCommit(sha(one), day(one - 10), f"Change {one}", parents=parents.get(one, [sha(one - 1)]))
            for one in sorted(numbers, reverse=True)
        ]
        code.push_commits(actor, repository, ROOT, commits)
        code.finish_sync(actor, repository, ROOT, Reading(sha(max(numbers))))

    return push


@pytest.fixture
def deploy(actor: Any, product: Any) -> Any:
    def told(number: int, days: float, **more: Any) -> Deployment:
        facts = {"sent_id": f"run-{number}-{days}", "commit_sha": sha(number), "finished_at": day(days)} | more
        return add_deployment(actor, product, DeploymentFacts(**facts))

    return told


def brought(deployment: Deployment) -> set[int]:
    return {int(one.sha, 16) for one in Commit.objects.filter(deployment=deployment)}


def test_a_deployment_brings_what_none_before_it_held(read: Any, deploy: Any) -> None:
    read(*range(1, 8))
    first, second, back, third = deploy(2, 0), deploy(5, 1), deploy(2, 2), deploy(6, 3)
    assert [brought(one) for one in (first, second, back, third)] == [{1, 2}, {3, 4, 5}, set(), {6, 7}]
    assert queries.first_known(first.product) == {first.pk}


def test_it_makes_no_difference_in_which_order_they_are_told(read: Any, deploy: Any) -> None:
    read(*range(1, 8))
    third, first, second = deploy(6, 3), deploy(2, 0), deploy(5, 1)
    assert [brought(one) for one in (first, second, third)] == [{1, 2}, {3, 4, 5}, {6, 7}]


def test_a_commit_that_is_not_read_in_yet_is_waited_for(read: Any, deploy: Any) -> None:
    read(1, 2, 3)
    first, second = deploy(2, 0), deploy(5, 1)
    assert (second.is_placed, second.repository) == (False, None)
    read(4, 5)
    second.refresh_from_db()
    assert second.is_placed
    assert brought(second) == {3, 4, 5}
    assert brought(first) == {1, 2}
    read(4, 5)  # told again, they stay where they are
    assert brought(second) == {3, 4, 5}


def test_only_what_succeeded_in_production_brings_anything(read: Any, deploy: Any) -> None:
    read(*range(1, 6))
    deploy(1, 0)
    assert brought(deploy(3, 1, environment="Staging")) == brought(deploy(3, 2, result="FAILURE")) == set()
    assert brought(deploy(3, 3)) == {2, 3}


def test_the_same_id_again_is_the_same_deployment_and_can_be_put_right(read: Any, deploy: Any) -> None:
    read(*range(1, 6))
    deploy(1, 0)
    wrong, after = deploy(3, 1, sent_id="run"), deploy(5, 2)
    acts = Activity.objects.count()
    assert deploy(3, 1, sent_id="run").pk == wrong.pk
    assert Activity.objects.count() == acts
    deploy(3, 1, sent_id="run", result="failure")
    assert Deployment.objects.count() == 3
    assert brought(after) == {2, 3, 4, 5}
    assert brought(wrong) == set()
    deploy(2, 1, sent_id="run")
    assert brought(wrong) == {2}
    assert brought(after) == {3, 4, 5}


@pytest.mark.parametrize(
    ("told", "says"),
    [
        ({"started_at": day(2)}, "before it started"),
        ({"finished_at": datetime(1970, 1, 1, tzinfo=UTC)}, "between 2000 and now"),
        ({"finished_at": timezone.now() + timedelta(days=400)}, "between 2000 and now"),
        ({"sent_id": " "}, "needs an id"),
        ({"commit_sha": "", "version": " "}, "a commit, a version, or both"),
        ({"commit_sha": "HEAD"}, "no commit id"),
        ({"commit_sha": "abcdef1"}, "Give all 40"),
        ({"result": "perhaps"}, "no result"),
        ({"url": "javascript:alert(1)"}, "begins with https"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(deploy: Any, told: dict[str, Any], says: str) -> None:
    with pytest.raises(Invalid, match=says):
        deploy(1, 1, **told)
    assert not Deployment.objects.exists()


def test_who_only_reads_or_does_not_belong_here_tells_nothing(product: Any, viewer: Any, charlie: Any) -> None:
    facts = DeploymentFacts("run", AT, version="v1")
    with pytest.raises(Forbidden):
        add_deployment(actor_of_user(viewer), product, facts)
    with pytest.raises(NotFound):
        add_incident(actor_of_user(charlie), product, IncidentFacts("INC-1", "Down", AT))


def test_an_incident_says_by_which_rule_it_is_a_deployments(actor: Any, product: Any, read: Any, deploy: Any) -> None:
    deploy(1, 0, version="v1")
    deploy(2, 2, version="v2")
    for number, (began, by) in enumerate([(-1, ""), (1, ""), (3, "v1"), (3, "none")]):
        add_incident(actor, product, IncidentFacts(f"INC-{number}", "Down", day(began), caused_by=by))
    found = [
        (one.deployment and one.deployment.label, one.rule) for one in queries.tied(Incident.objects.order_by("key"))
    ]
    assert found == [
        (None, ""),
        ("v1", "inferred: the latest before it"),
        ("v1", "stated"),
        (None, "stated: no deployment"),
    ]
    with pytest.raises(NotFound, match="deployment list"):
        add_incident(actor, product, IncidentFacts("INC-9", "Down", AT, caused_by="v9"))


def test_an_incident_is_closed_once_and_told_again_stays_closed(actor: Any, product: Any) -> None:
    incident = add_incident(actor, product, IncidentFacts("INC-1", "Down", AT, status="IN_PROGRESS"))
    with pytest.raises(Invalid, match="before it began"):
        close_incident(actor, incident, resolved_at=day(-1))
    closed = close_incident(actor, incident, resolved_at=day(1))
    assert close_incident(actor, closed).resolved_at == day(1)
    again = add_incident(actor, product, IncidentFacts("INC-1", "Down for all", AT, status="DONE"))
    assert (again.resolved_at, again.title, Incident.objects.count()) == (day(1), "Down for all", 1)


def test_the_metrics_of_a_product(actor: Any, product: Any, read: Any, deploy: Any) -> None:
    read(*range(1, 8))
    for number, days in ((2, 0), (5, 8), (6, 15)):
        deploy(number, days)
    add_incident(actor, product, IncidentFacts("INC-1", "Down", day(9), resolved_at=day(10)))
    found = queries.measure_delivery(product, days=90, end=day(21))
    said = {one.key: (one.value, one.n) for one in found.measures}
    assert found.start == day(0)  # nothing is known from before
    assert said["deployment_frequency"] == (1, 3)
    assert said["change_lead_time"] == (24 * 14.5, 4)  # after 13, 14, 15 and 18 days; the merge is no change
    assert said["change_fail_rate"][1] == 3
    assert said["change_fail_rate"][0] == pytest.approx(1 / 3)
    assert said["failed_deployment_recovery_time"] == (48, 1)
    assert said["deployment_rework_rate"] == (0, 2)


# Doors ------------------------------------------------------------------------------------------------


def test_devlakes_senders_need_another_address_and_nothing_else(
    api: Any, server_key: str, product: Any, read: Any
) -> None:
    read(1, 2)
    api.token = server_key
    sent = {
        "id": "pipeline-7",
        "startedDate": "2026-06-01T12:00:00+00:00",
        "finishedDate": "2026-06-01T12:10:00+00:00",
        "environment": "PRODUCTION",
        "result": "SUCCESS",
        "displayTitle": "Release 4.2",
        "deploymentCommits": [
            {"repoUrl": "https://github.com/acme/sprout.git", "commitSha": sha(2), "refName": "v4.2", "commitMsg": "x"},
            {"repoUrl": "https://github.com/acme/other", "commitSha": sha(99), "repoId": "7", "refName": "main"},
        ],
    }
    for _ in range(2):
        assert api.post(f"{DEVLAKE}/1/deployments", sent).ok == {"success": True, "message": "success"}
    ours, other = Deployment.objects.order_by("pk")
    assert (ours.environment, ours.version, ours.title, ours.repo) == (
        "production",
        "v4.2",
        "Release 4.2",
        "github.com/acme/sprout",
    )
    assert other.label == sha(99)[:7], "a branch is no version"
    assert (ours.is_placed, brought(ours), other.is_placed) == (True, {1, 2}, False)
    issue = {"issueKey": "INC/7", "title": "Down", "type": "INCIDENT", "createdDate": "2026-06-02T12:00:00Z"}
    issue |= {"status": "TODO", "originalStatus": "open", "storyPoint": 0, "resolutionDate": None}
    api.post(f"{DEVLAKE}/by-name/sprout/issues", issue).must_succeed()
    assert "Not kept" in api.post(f"{DEVLAKE}/1/issues", issue | {"issueKey": "BUG-1", "type": "BUG"}).ok["message"]
    api.post("/plugins/webhook/1/issue/INC/7/close").must_succeed()
    assert [(one.key, one.status) for one in Incident.objects.all()] == [("INC/7", "done")]


def test_devlakes_door_refuses_half_a_body_and_anothers_key(api: Any, server_key: str, other_product: Any) -> None:
    sent = {"id": "1", "startedDate": "2026-06-01T12:00:00Z", "finishedDate": "2026-06-01T12:10:00Z"}
    commits = [{"repoUrl": "r", "commitSha": sha(1)}]
    asked = api.post(f"{DEVLAKE}/1/deployments", sent | {"deploymentCommits": commits})
    assert asked.status == 400
    assert "by-name" in asked.body["message"]
    api.token = server_key
    assert api.post(f"{DEVLAKE}/by-name/elsewhere/deployments", sent | {"deploymentCommits": commits}).status == 404
    assert api.post(f"{DEVLAKE}/1/issue/INC-9/close").status == 404
    for wrong in (
        {"deploymentCommits": []},
        {"deploymentCommits": commits * 101},
        {"deploymentCommits": commits, "id": "x" * 5000},
    ):
        assert api.post(f"{DEVLAKE}/1/deployments", sent | wrong).status == 400
    first, *_ = commits
    half = [first | {"repoUrl": "a"}, first | {"repoUrl": "b", "finishedDate": "2026-05-01T12:00:00Z"}]
    assert api.post(f"{DEVLAKE}/1/deployments", sent | {"deploymentCommits": half}).status == 400
    assert not Deployment.objects.exists()  # all of it or nothing
