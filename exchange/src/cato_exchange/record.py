"""The record of a call: parties, times, end, and received audio."""

import hashlib
import json
import re
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, Self

from cato_exchange.media.rtp_report import RtpReport
from cato_exchange.media.tones import muted

EndedBy = Literal["caller", "exchange", "timeout", "shutdown"]


@dataclass
class CallRecord:
    """Times are Unix milliseconds, None for events that did not happen. Audio is complete after the end."""

    call_id: str
    number: str
    "User part of the Request-URI: the number that was called."
    to_number: str
    from_number: str
    caller_name: str
    asserted_identity: str
    "User part of P-Asserted-Identity (RFC 3325)."
    behaviour: str
    label: str
    attempt: int
    "1 for the first call to this number."
    invite_ms: float
    invite_repeats: int = 0
    ringing_ms: float | None = None
    early_media_ms: float | None = None
    answer_ms: float | None = None
    ack_ms: float | None = None
    cancel_ms: float | None = None
    hung_up_ms: float | None = None
    "When the exchange sent its BYE; `end_ms` is when that was answered or has timed out."
    end_ms: float | None = None
    final_code: int | None = None
    "The final response to the INVITE; None: none was sent."
    ended_by: EndedBy | None = None
    bye_answered: bool | None = None
    "None: no BYE was sent in either direction."
    held: int = 0
    "How many times the exchange put the call on hold with the caller's consent."
    session_refreshes: int = 0
    codec: str | None = None
    digits_sent: list[dict[str, Any]] = field(default_factory=list)
    "`{digit, by, at_ms}`; `at_ms` is when the digit was sent or queued for the next RTP packets."
    info_answers: list[int] = field(default_factory=list)
    "The caller's response code to each INFO."
    rtp: RtpReport = field(default_factory=RtpReport)
    audio: bytes = field(default=b"", repr=False)
    audio_file: Path | None = None

    @property
    def ended(self) -> bool:
        return self.end_ms is not None

    @property
    def alaw(self) -> bytes:
        """Return the received audio in order, encoded as received: A-law unless PCMU was negotiated."""
        return self.audio if self.audio_file is None else self.audio_file.read_bytes()

    def audio_without_silence(self) -> bytes:
        return muted(self.alaw)

    def contains_prompt(self, alaw: bytes) -> bool:
        """Return whether the received audio contains the whole prompt without interruption."""
        return bool(alaw) and alaw in self.alaw

    @property
    def name(self) -> str:
        """Return the stem of the record's files: time, number and a digest of the Call-ID."""
        number = re.sub(r"[^0-9A-Za-z+]", "_", self.number) or "none"
        digest = hashlib.sha256(self.call_id.encode()).hexdigest()[:10]
        return f"{round(self.invite_ms)}-{number}-{digest}"

    def as_json(self) -> dict[str, Any]:
        content = asdict(self)
        del content["audio"]
        content["audio_file"] = None if self.audio_file is None else self.audio_file.name
        return content

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a record from its JSON file.

        Raises: OSError, ValueError.
        """
        content = json.loads(path.read_bytes())
        rtp = content["rtp"]
        rtp["payload_types"] = {int(number): count for number, count in rtp["payload_types"].items()}
        content["rtp"] = RtpReport(**rtp)
        content["audio_file"] = path.with_name(content["audio_file"])
        return cls(**content)

    def write(self, directory: Path) -> None:
        """Write the audio, then the JSON that names it; afterwards the audio is read from its file.

        Raises: OSError.
        """
        suffix = "ulaw" if self.codec == "PCMU" else "alaw"
        audio_file = directory / f"{self.name}.{suffix}"
        write_atomically(audio_file, self.audio)
        self.audio_file = audio_file
        self.audio = b""
        content = json.dumps(self.as_json(), ensure_ascii=False, indent=1)
        write_atomically(directory / f"{self.name}.json", content.encode())


def write_atomically(path: Path, content: bytes) -> None:
    """Write to a draft and rename it, so that readers never see half a file. Raises: OSError."""
    draft = path.with_name(f".{path.name}.part")
    draft.write_bytes(content)
    draft.replace(path)
