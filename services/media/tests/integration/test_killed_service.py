"""The process is killed in the middle of an upload; the client tries again."""

import asyncio
import os
from pathlib import Path

import pytest

from cato_contracts.errors import UnavailableError
from cato_contracts.messages.audio_commands import AddAudioFile, ListAudioFiles
from cato_contracts.objects import Bucket
from cato_runtime.broker import connect, make_broker
from cato_runtime.objects import NatsObjectStore
from cato_runtime.process.embedded_nats import EmbeddedNats
from cato_runtime.requests import Requester
from services.media.tests.support.client import USER
from services.media.tests.support.sounds import packed, tone, wav
from tests.support.preloaded.process import AsyncPreloadedProcess

TEN_MINUTES = wav(packed(tone(8000)) * 600, rate=8000)


async def media_process(url: str, data: Path) -> AsyncPreloadedProcess:
    return await AsyncPreloadedProcess.start(
        "cato_media.entrypoints.main:main",
        ["cato-media"],
        env={**os.environ, "CATO_NATS_URL": url, "CATO_DATA_DIR": str(data)},
    )


def children(pid: int) -> set[int]:
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return {int(child) for task in tasks for child in task.read_text().split()}


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def test_a_retry_after_a_kill_leaves_one_file_and_one_prompt(tmp_path: Path):
    async with EmbeddedNats(tmp_path / "nats") as nats:
        media = await media_process(nats.url, tmp_path)
        broker = make_broker(nats.url, "client")
        objects = NatsObjectStore((await connect(broker)).jetstream())
        await broker.start()
        requester = Requester(broker)

        async def add(timeout: float):
            upload = await objects.put(Bucket.UPLOADS, f"upload-{timeout}", TEN_MINUTES)
            command = AddAudioFile(actor=USER, name="flood", upload=upload)
            return await requester.ask(command, command_id="c1", timeout=timeout)

        await requester.ask(ListAudioFiles(actor=USER), timeout=20)
        adding = asyncio.create_task(add(4))
        async with asyncio.timeout(10):
            while not (decoders := children(media.pid)):
                await asyncio.sleep(0.005)
        media.kill()
        await media.wait()
        async with asyncio.timeout(5):
            while any(alive(decoder) for decoder in decoders):
                await asyncio.sleep(0.01)
        with pytest.raises(UnavailableError):
            await adding

        media = await media_process(nats.url, tmp_path)
        assert (await requester.ask(ListAudioFiles(actor=USER), timeout=20)).items == []
        [own] = [path for path in (tmp_path / "media").iterdir() if path.is_dir()]
        assert list(own.iterdir()) == []
        file = await add(60)
        assert file.duration_ms == 600_000
        assert (await requester.ask(ListAudioFiles(actor=USER))).items == [file]
        prompts = await (await broker.connect()).jetstream().object_store(Bucket.PROMPTS)
        assert [info.name for info in await prompts.list() if not info.deleted] == [file.content.name]
        assert len(await objects.get(file.content)) == file.size_bytes
        media.terminate()
        assert await media.wait() == 0
        await broker.stop()
