"""The receiving process: answers calls, counts the packets of every stream.

Requests: `open` sockets, `listen` (drop the packets so far and keep new ones), `examine` windows of time,
`expect` a number of frames in short calls, or the first bytes (`marks`) of the frames, `calls` (the results
of short calls since the last such request, and how many numbers were called how often so far), `talk` (start
the program of the far end for all calls), `keys` (how many it has pressed), `hush` (end it).
"""

import asyncio
import gc
import sys
from collections import deque
from dataclasses import asdict
from typing import Any

from telephony.child import Child, allow_many_sockets, serve
from telephony.processes.answerer import Answerer, Counts
from telephony.processes.reception import examine, heard_whole
from telephony.processes.sink import Batch, Sink
from telephony.prompt import frames

HOST = "127.0.0.1"
_ROUND_S = 0.2
_TURNS = 20
"Each socket is read once per round, one twentieth of the sockets at a time."


class Receiver:
    def __init__(self) -> None:
        self._sinks: list[Sink] = []
        self._batch = Batch()
        self._answerer = Answerer(HOST, deque(), self._call_ended)
        self._short_prompt = b""
        self._whole = 0
        self._broken = 0
        self._keep = False
        self._far_end: Child | None = None

    async def handle(self, request: dict[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = {}
        match request["do"]:
            case "start":
                answer["port"] = await self._answerer.listen()
            case "open":
                answer["ports"] = self._open(request["streams"])
            case "listen":
                self._forget()
            case "examine":
                answer["windows"] = self._examine(request["windows"])
            case "expect":
                marks = request.get("marks")
                self._short_prompt = bytes.fromhex(marks) if marks else frames(request["frames"])
            case "calls":
                answer = self._calls()
            case "talk":
                answer = await self._talk(request["program"])
            case "keys":
                answer = await self._far_end.ask({}) if self._far_end else {}
            case "hush":
                await self._hush()
            case other:
                raise ValueError(other)
        return answer

    async def drain_for_ever(self) -> None:
        loop = asyncio.get_running_loop()
        due, turn = loop.time(), 0
        while True:
            for sink in self._sinks[turn::_TURNS]:
                sink.drain(self._batch, keep=self._keep)
            turn = (turn + 1) % _TURNS
            due = max(due + _ROUND_S / _TURNS, loop.time())
            await asyncio.sleep(due - loop.time())

    def _open(self, streams: int) -> list[int]:
        while len(self._sinks) < streams:
            sink = Sink(HOST)
            self._sinks.append(sink)
            self._answerer.free.append(sink)
        return [sink.port for sink in self._sinks[:streams]]

    async def _talk(self, program: str) -> dict[str, Any]:
        await self._hush()
        pairs = [(sink.descriptor, port) for sink, port in self._answerer.talking]
        descriptors = [descriptor for descriptor, _ in pairs]
        self._far_end = await Child.start(program, log=None, descriptors=descriptors)
        return await self._far_end.ask({"pairs": pairs}) | {"pid": self._far_end.pid}

    async def _hush(self) -> None:
        if self._far_end is not None:
            await self._far_end.close()
            self._far_end = None

    def _forget(self) -> None:
        for sink in self._sinks:
            sink.drain(self._batch, keep=False)
            sink.forget()
        self._keep = True
        gc.collect()

    def _examine(self, windows: list[tuple[int, int]]) -> list[dict[str, Any]]:
        for sink in self._sinks:
            sink.drain(self._batch, keep=True)
        found = [asdict(examine(self._sinks, begin, end)) for begin, end in windows]
        self._keep = False
        for sink in self._sinks:
            sink.forget()
        return found

    def _call_ended(self, sink: Sink) -> None:
        if self._short_prompt:
            sink.drain(self._batch, keep=True)
            if heard_whole(sink, self._short_prompt):
                self._whole += 1
            else:
                self._broken += 1
                print(
                    f"not whole: {len(sink.marks)} packets, {list(sink.marks)}", file=sys.stderr, flush=True
                )
        sink.forget()

    def _calls(self) -> dict[str, Any]:
        counts, self._answerer.counts = self._answerer.counts, Counts()
        found = asdict(counts) | {"heard_whole": self._whole, "heard_broken": self._broken}
        numbers = self._answerer.numbers
        found |= {"numbers": len(numbers), "most_of_a_number": max(numbers.values(), default=0)}
        self._whole = self._broken = 0
        self._keep = True
        return found


async def main() -> None:
    allow_many_sockets()
    receiver = Receiver()
    draining = asyncio.create_task(receiver.drain_for_ever())
    gc.freeze()
    await serve(receiver.handle)
    await receiver.handle({"do": "hush"})
    draining.cancel()


if __name__ == "__main__":
    asyncio.run(main())
