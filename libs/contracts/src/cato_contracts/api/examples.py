"""Examples in the API's document: ids, the manual's own where it has one (chapter 3)."""

from typing import Final

from pydantic import JsonValue

AUDIO_ID: Final = "a88a6210-5434-4ee6-886a-7e43f0beeb4f"
GROUP_ID: Final = "3a27def6-af0f-44fa-965a-ba0bfb67316e"
SETTINGS_ID: Final = "4ac70308-1afe-4e58-92ff-794300ebd785"
TASK_ID: Final = "862ceccb-850e-4ff0-a4e5-9c8acee6f423"
EXECUTION_ID: Final = "02cd00d1-0f12-494f-91ab-da1691e555ca"
OTHER_EXECUTION_ID: Final = "018e6f3a-6b1c-7d20-9a51-0f6b1d7c2e44"
STATION_ID: Final = "3fa85f64-5717-4562-b3fc-2c963f66afa6"
SUBSCRIBER_ID: Final = "5f0c1a52-5e0b-5c8e-9a52-6a4a2b1f7c11"
CALL_ID: Final = "018e6f3a-98f0-7c31-8a52-6f1f0a3d2b10"
SIP_CALL_ID: Final = "4b1f9d6e0a2c47d3b8e5f601@192.0.2.10:5060"

EVENT_EXAMPLES: list[dict[str, JsonValue]] = [
    {"time": 1711266311700, "name": "CS defined", "status": "CS_DEFINED", "data": STATION_ID},
    {"time": 1711266311704, "name": "Trying", "status": "TRYING", "data": "SIP_CODE:100"},
]
