"""Imports of feedback over REST, and what is done to voices at the door."""

from ninja import File, Form, Router, Status, UploadedFile

from whytree.engines.texts.personal import KINDS
from whytree.voice import services
from whytree.voice.arriving.drafts import Source
from whytree.voice.importing import uploads
from whytree.voice.models import VoiceSettings
from whytree.voice.rest import import_schemas
from whytree.workspace.entry.doors import ApiRequest, api_product
from whytree.workspace.rights.roles import Role

router = Router(tags=["Voices"])


@router.get(
    "/products/{product}/feedback-imports", response=list[import_schemas.ImportOut], operation_id="list_imports"
)
def list_imports(request: ApiRequest, product: str) -> list[import_schemas.ImportOut]:
    """The latest imports, the newest first; dry runs are none."""
    runs = services.list_runs(api_product(request, product, Role.VIEWER))
    return [import_schemas.ImportOut.of(run) for run in runs]


@router.post(
    "/products/{product}/feedback-imports", response={201: import_schemas.ImportOut}, operation_id="start_import"
)
def start_import(request: ApiRequest, product: str, said: import_schemas.ImportIn) -> Status[import_schemas.ImportOut]:
    """Begin an import, or find the interrupted one: send the rows after its `row_offset`."""
    found = api_product(request, product, Role.MAINTAINER)
    run = services.start_import(
        request.actor,
        found,
        source=Source(said.source_type, said.source_id, said.source_name),
        file=services.FileFacts(
            said.fingerprint, said.file_name, said.mapping, said.day_first, format_name=said.format_name
        ),
        dry_run=said.dry_run,
    )
    return Status(201, import_schemas.ImportOut.of(run))


@router.post(
    "/products/{product}/feedback-imports/upload",
    response={201: import_schemas.ImportOut},
    operation_id="upload_feedback",
)
def upload_feedback(
    request: ApiRequest,
    product: str,
    file: File[UploadedFile],
    asked: Form[import_schemas.UploadIn],
) -> Status[import_schemas.ImportOut]:
    """Import a file as it is: an export of a system we know is recognised, of other tables the columns are guessed.

    With `dry_run` every row is checked and none stored. The same file again brings nothing twice.
    """
    found = api_product(request, product, Role.MAINTAINER)
    team = (*asked.team, *VoiceSettings.of(found).team)
    looked_at = uploads.look_at(request.actor, found, file, asked.asked(team, file.name or ""))
    if asked.dry_run:
        uploads.forget(request.actor, looked_at)
        return Status(201, import_schemas.ImportOut.of(looked_at))
    run = uploads.begin(request.actor, found, looked_at)
    return Status(201, import_schemas.ImportOut.of(uploads.go_on(request.actor, run, seconds=None)))


@router.get(
    "/products/{product}/feedback-imports/{run_id}", response=import_schemas.ImportOut, operation_id="get_import"
)
def get_import(request: ApiRequest, product: str, run_id: int) -> import_schemas.ImportOut:
    """One import with its totals and broken rows."""
    return import_schemas.ImportOut.of(services.find_run(api_product(request, product, Role.VIEWER), run_id))


@router.post(
    "/products/{product}/feedback-imports/{run_id}/rows", response=import_schemas.ImportOut, operation_id="take_rows"
)
def take_rows(request: ApiRequest, product: str, run_id: int, said: import_schemas.RowsIn) -> import_schemas.ImportOut:
    """The next rows of the file. A batch that was taken already changes nothing."""
    run = services.find_run(api_product(request, product, Role.MAINTAINER), run_id)
    taken = services.take_rows(
        request.actor,
        run,
        rows=said.rows,
        errors=[(error.row, error.reason) for error in said.errors],
        upto=said.upto,
        left_out=said.left_out,
    )
    return import_schemas.ImportOut.of(taken)


@router.post(
    "/products/{product}/feedback-imports/{run_id}/finish",
    response=import_schemas.ImportOut,
    operation_id="finish_import",
)
def finish_import(request: ApiRequest, product: str, run_id: int) -> import_schemas.ImportOut:
    """All rows were sent."""
    run = services.find_run(api_product(request, product, Role.MAINTAINER), run_id)
    return import_schemas.ImportOut.of(services.finish_import(request.actor, run))


@router.delete(
    "/products/{product}/feedback-imports/{run_id}", response=import_schemas.UndoneOut, operation_id="undo_import"
)
def undo_import(request: ApiRequest, product: str, run_id: int) -> import_schemas.UndoneOut:
    """Take out what the import brought in; items that were linked since stay. What is `left` goes by itself; ask again to see."""
    run = services.find_run(api_product(request, product, Role.MAINTAINER), run_id)
    undone = services.undo_import(request.actor, run)
    return import_schemas.UndoneOut(removed=undone.removed, kept=undone.kept, left=undone.left)


@router.post(
    "/products/{product}/feedback-imports/{run_id}/put-back",
    response=import_schemas.PutBackOut,
    operation_id="put_back_personal",
)
def put_back_personal(
    request: ApiRequest, product: str, run_id: int, said: import_schemas.KindsIn
) -> import_schemas.PutBackOut:
    """Put personal data that was taken out back into the import's items, while it is open."""
    run = services.find_run(api_product(request, product, Role.MAINTAINER), run_id)
    return import_schemas.PutBackOut(
        pieces=services.put_back_personal(request.actor, run, kinds=list(KINDS) if said.kinds is None else said.kinds)
    )


@router.post(
    "/products/{product}/feedback-imports/{run_id}/close",
    response=import_schemas.ImportOut,
    operation_id="close_import",
)
def close_import(request: ApiRequest, product: str, run_id: int) -> import_schemas.ImportOut:
    """Throw away what was taken out. Happens by itself after seven days."""
    run = services.find_run(api_product(request, product, Role.MAINTAINER), run_id)
    return import_schemas.ImportOut.of(services.close_import(request.actor, run))


@router.get(
    "/products/{product}/feedback-settings", response=import_schemas.VoiceSettingsOut, operation_id="get_voice_settings"
)
def get_voice_settings(request: ApiRequest, product: str) -> import_schemas.VoiceSettingsOut:
    """What is taken out of voices at the door, whose words are the team's own, and whether pages may hand in feedback."""
    return import_schemas.VoiceSettingsOut(**VoiceSettings.of(api_product(request, product, Role.VIEWER)).as_json())


@router.put(
    "/products/{product}/feedback-settings", response=import_schemas.VoiceSettingsOut, operation_id="set_voice_settings"
)
def set_voice_settings(
    request: ApiRequest, product: str, said: import_schemas.VoiceSettingsIn
) -> import_schemas.VoiceSettingsOut:
    """Change it for what comes in from now on."""
    found = api_product(request, product, Role.MAINTAINER)
    told = services.set_voice_settings(request.actor, found, **said.model_dump(exclude_unset=True))
    return import_schemas.VoiceSettingsOut(**told.as_json())


@router.get(
    "/products/{product}/feedback-mappings", response=list[import_schemas.MappingOut], operation_id="list_mappings"
)
def list_mappings(request: ApiRequest, product: str) -> list[import_schemas.MappingOut]:
    """Which column of which table holds what, kept under names; the one that was made last first."""
    found = api_product(request, product, Role.VIEWER)
    return [import_schemas.MappingOut.of(one) for one in services.kept_mappings(found)]


@router.put(
    "/products/{product}/feedback-mappings/{name}", response=import_schemas.MappingOut, operation_id="keep_mapping"
)
def keep_mapping(
    request: ApiRequest, product: str, name: str, said: import_schemas.MappingIn
) -> import_schemas.MappingOut:
    """Keep one; a table with exactly the columns of `header` is read by it."""
    found = api_product(request, product, Role.MAINTAINER)
    kept = services.keep_mapping(request.actor, found, name=name, columns=said.columns, header=said.header)
    return import_schemas.MappingOut(name=kept.name, columns=kept.columns, header=kept.header)


@router.delete("/products/{product}/feedback-mappings/{name}", response={204: None}, operation_id="remove_mapping")
def remove_mapping(request: ApiRequest, product: str, name: str) -> Status[None]:
    """What was imported with it stays."""
    services.remove_mapping(request.actor, api_product(request, product, Role.MAINTAINER), name)
    return Status(204, None)
