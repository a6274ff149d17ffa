"""The process that reads one list: an order on standard input, an answer on standard output."""

import sys
from pathlib import Path

from cato_contracts.envelope import Answer
from cato_contracts.errors import ErrorCode, ErrorInfo, RefusedError
from cato_contracts.model import Frozen
from cato_dialer.campaign.adapters.list_reader.sheet_cells import sheet_cells
from cato_dialer.campaign.domain.lists.subscriber_list import ListOrder, read_upload


class Job(Frozen):
    """The list `source` is to be read and written to `target`."""

    source: Path
    target: Path
    order: ListOrder


def carry_out(job: Job) -> Answer:
    """Read a list. The value of the answer is a `SubscriberListCheck`."""
    try:
        with job.target.open("wb") as lines:
            check = read_upload(job.source, lines, job.order, sheet_cells)
    except RefusedError as error:
        return Answer(ok=False, error=error.info())
    except MemoryError:
        return Answer(ok=False, error=ErrorInfo(code=ErrorCode.TOO_LARGE, message=TOO_MUCH_MEMORY))
    return Answer(ok=True, value=check.model_dump(mode="json"))


TOO_MUCH_MEMORY = "the list cannot be read: it needs too much memory or time"


if __name__ == "__main__":
    sys.stdout.write(carry_out(Job.model_validate_json(sys.stdin.buffer.read())).model_dump_json())
