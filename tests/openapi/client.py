"""The six steps with the generated Python client, in the environment of the generator: `client.py URL MP3`.

Prints what it has seen as JSON.
"""

import json
import sys
from base64 import b64decode
from io import BytesIO
from typing import Any

from generated import AuthenticatedClient
from generated.api.audio_files import add_audio_file
from generated.api.executions import get_task_exec
from generated.api.history import get_statistics, list_calls
from generated.api.notification_settings import add_notification_settings
from generated.api.subscriber_groups import add_subscriber_group
from generated.api.tasks import add_task, get_task, start_task
from generated.models import (
    Grouping,
    SettingsBody,
    Subscriber,
    SubscriberFilter,
    SuccessCondition,
    TaskBody,
)
from generated.types import File


def main(url: str, mp3: str) -> dict[str, Any]:
    client = AuthenticatedClient(base_url=url, token="plain:default")
    audio = add_audio_file.sync("generated", client=client, body=File(BytesIO(b64decode(mp3))))
    people = [Subscriber(full_name="Ivan Potapov", phones="776429")]
    group = add_subscriber_group.sync("generated", client=client, body=people)
    # Fields with defaults can be left out.
    settings = add_notification_settings.sync(
        client=client,
        body=SettingsBody(name="generated", attempt_count=1, success_condition=SuccessCondition.PICKUP_PHONE),
    )
    body = TaskBody(name="generated", settings=settings.id, files=audio.id, groups=[group.id])
    task = add_task.sync(client=client, body=body)
    start = start_task.sync(task.id, client=client)
    status = get_task_exec.sync(start.task_exec_id, client=client, subscribers=SubscriberFilter.UNREACHED)
    calls = list_calls.sync(client=client, number="776429")
    get_statistics.sync(client=client, group_by=Grouping.DAY)
    refusal = get_task.sync("00000000-0000-4000-8000-000000000000", client=client)
    return {
        "settings": settings.max_call_duration_s,
        "subscribers": status.report.subscriber_count,
        "calls": len(calls.items),
        "refused": refusal.status,
    }


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))  # noqa: T201 - its result
