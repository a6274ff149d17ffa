"""What becomes of files: names, owners, retries, removal. The log and the objects are in memory."""

from uuid import uuid4

import pytest

from cato_contracts.errors import (
    BrokerError,
    ConflictError,
    InvalidError,
    NotFoundError,
    TooLargeError,
    UnavailableError,
)
from cato_contracts.messages.audio_commands import (
    AddAudioFile,
    GetAudioFile,
    GetAudioFiles,
    ListAudioFiles,
    RemoveAudioFile,
)
from cato_contracts.objects import Bucket, ObjectRef
from cato_contracts.requests import Actor
from services.media.tests.support.client import (
    OTHER,
    USER,
    LosesAcknowledgements,
    Media,
    Tasks,
    media_service,
)
from services.media.tests.support.sounds import packed, tone, wav
from tests.support.memory_objects import MemoryObjectStore

FLOOD = wav(packed(tone(8000, 0.5)), rate=8000)
FIRE = wav(packed(tone(8000, 0.5, hz=500)), rate=8000)
ADMIN = Actor(user_id="root", admin=True)


async def test_an_added_file_is_stored_as_its_resource_says(media: Media):
    file = await media.add("flood", FLOOD)
    assert (file.name, file.user_id, file.duration_ms, file.size_bytes) == ("flood", "user", 500, 4000)
    assert file.content.sha256 == file.sha256
    assert len(await media.objects.get(file.content)) == 4000
    assert await media.ask(GetAudioFile(actor=USER, id=file.id)) == file
    assert media.kept() == [(Bucket.PROMPTS, file.content.name)]


async def test_the_same_bytes_under_the_same_name_are_the_same_file(media: Media):
    assert await media.add("flood", FLOOD) == await media.add("flood", FLOOD)
    assert len(media.kept()) == 1


async def test_other_bytes_under_the_same_name_are_a_conflict(media: Media):
    file = await media.add("flood", FLOOD)
    with pytest.raises(ConflictError) as refused:
        await media.add("flood", FIRE)
    assert refused.value.resource_id == str(file.id)
    assert len(media.kept()) == 1


async def test_two_users_may_use_one_name(media: Media):
    mine, theirs = await media.add("flood", FLOOD), await media.add("flood", FIRE, actor=OTHER)
    assert mine.id != theirs.id
    assert await media.ask(GetAudioFile(actor=USER, id=mine.id)) == mine
    with pytest.raises(NotFoundError):
        await media.ask(GetAudioFile(actor=USER, id=theirs.id))
    assert await media.ask(GetAudioFile(actor=ADMIN, id=theirs.id)) == theirs
    assert (await media.ask(ListAudioFiles(actor=USER))).items == [mine]
    assert (await media.ask(ListAudioFiles(actor=ADMIN))).items == [mine, theirs]


async def test_a_retried_command_gives_the_first_answer(media: Media):
    first = await media.add("flood", FLOOD, command_id="c1")
    assert await media.add("flood", FLOOD, command_id="c1") == first
    # Even when its upload is gone, or the file has been removed since.
    gone = ObjectRef(bucket=Bucket.UPLOADS, name="gone", size=10)
    again = AddAudioFile(actor=USER, name="flood", upload=gone)
    assert await media.ask(again, "c1") == first
    await media.ask(RemoveAudioFile(actor=USER, id=first.id))
    assert await media.ask(again, "c1") == first
    assert (await media.ask(ListAudioFiles(actor=USER))).items == []


async def test_one_command_cannot_add_two_files(media: Media):
    await media.add("flood", FLOOD, command_id="c1")
    with pytest.raises(ConflictError):
        await media.add("fire", FIRE, command_id="c1")


async def test_a_missing_upload_is_unavailable(media: Media):
    gone = ObjectRef(bucket=Bucket.UPLOADS, name="gone", size=10)
    with pytest.raises(UnavailableError, match="send the file again"):
        await media.ask(AddAudioFile(actor=USER, name="flood", upload=gone))


async def test_a_lost_acknowledgement_adds_one_file(media: Media):
    objects = MemoryObjectStore()
    log = LosesAcknowledgements(media.log)
    async with media_service(log, objects, Tasks()) as unlucky:
        with pytest.raises(UnavailableError):
            await unlucky.add("flood", FLOOD, command_id="c1")
        file = await unlucky.add("flood", FLOOD, command_id="c1")
        assert (await unlucky.ask(ListAudioFiles(actor=USER))).items == [file]
        assert len(await objects.get(file.content)) == 4000
        assert unlucky.kept() == [(Bucket.PROMPTS, file.content.name)]


async def test_a_removed_file_is_not_found_and_its_name_is_free(media: Media):
    first = await media.add("flood", FLOOD)
    await media.ask(RemoveAudioFile(actor=USER, id=first.id))
    assert media.kept() == []
    for request in (GetAudioFile(actor=USER, id=first.id), RemoveAudioFile(actor=USER, id=first.id)):
        with pytest.raises(NotFoundError):
            await media.ask(request)
    second = await media.add("flood", FIRE)
    assert second.id != first.id
    assert (await media.ask(ListAudioFiles(actor=USER))).items == [second]


async def test_a_retried_removal_succeeds_again(media: Media):
    file = await media.add("flood", FLOOD)
    for _ in range(2):
        await media.ask(RemoveAudioFile(actor=USER, id=file.id), "r1")
    with pytest.raises(NotFoundError):
        await media.ask(RemoveAudioFile(actor=USER, id=file.id), "r2")


async def test_a_file_that_a_task_uses_cannot_be_removed(media: Media):
    file = await media.add("flood", FLOOD)
    task = uuid4()
    media.tasks.using[file.id] = [task]
    with pytest.raises(ConflictError) as refused:
        await media.ask(RemoveAudioFile(actor=USER, id=file.id))
    assert refused.value.resource_id == str(task)
    media.tasks.failure = UnavailableError("no answer")
    with pytest.raises(UnavailableError):
        await media.ask(RemoveAudioFile(actor=USER, id=file.id))
    assert await media.ask(GetAudioFile(actor=USER, id=file.id)) == file


async def test_a_file_of_another_user_cannot_be_removed(media: Media):
    file = await media.add("flood", FLOOD)
    with pytest.raises(NotFoundError):
        await media.ask(RemoveAudioFile(actor=OTHER, id=file.id))
    await media.ask(RemoveAudioFile(actor=ADMIN, id=file.id))


async def test_several_files_come_in_the_order_asked_for(media: Media):
    flood, fire = await media.add("flood", FLOOD), await media.add("fire", FIRE)
    ids = [fire.id, flood.id, fire.id]
    assert await media.ask(GetAudioFiles(actor=USER, ids=ids)) == [fire, flood, fire]


async def test_the_error_lists_all_unknown_files(media: Media):
    flood, theirs = await media.add("flood", FLOOD), await media.add("fire", FIRE, actor=OTHER)
    unknown = uuid4()
    with pytest.raises(NotFoundError) as refused:
        await media.ask(GetAudioFiles(actor=USER, ids=[flood.id, unknown, theirs.id]))
    assert str(unknown) in refused.value.message
    assert str(theirs.id) in refused.value.message
    assert str(flood.id) not in refused.value.message


async def test_a_path_as_name_is_rejected_and_stores_nothing(media: Media):
    for name in ("../../etc/passwd", "a/b.wav", "nul\0.wav", ""):
        with pytest.raises(InvalidError, match="filename"):
            await media.add(name, FLOOD)
    assert media.kept() == []


async def test_the_limits_come_from_the_configuration(media: Media, tight_limits):
    async with media_service(media.log, media.objects, Tasks(), tight_limits) as tight:
        with pytest.raises(TooLargeError, match="at most 20000"):
            await tight.add("flood", FLOOD + bytes(20_000))
        with pytest.raises(TooLargeError, match="longer than the 1 s"):
            await tight.add("flood", wav(packed(tone(8000, 1.1)), rate=8000))
    assert media.kept() == []


async def test_a_failing_object_store_leaves_no_file(media: Media):
    class Full(MemoryObjectStore):
        async def put(self, bucket, name, content):
            if bucket is Bucket.PROMPTS:
                raise BrokerError("no space")
            return await super().put(bucket, name, content)

    objects = Full()
    async with media_service(media.log, objects, Tasks()) as full:
        with pytest.raises(UnavailableError):
            await full.add("flood", FLOOD)
        assert full.kept() == []
        assert (await full.ask(ListAudioFiles(actor=USER))).items == []
