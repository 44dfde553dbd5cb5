"""gh-frames-depot 1.0.0. Its queue is in its owner's heap and no other process sees it: measured within one process.

The frame is written, enqueued (a reference), fetched (copied into shared memory) and read there.
"""

import asyncio
import json
import sys
from multiprocessing.shared_memory import SharedMemory

import numpy as np
from frames_depot.frames_depot import FramesDepot
from payload import Sink, Source

FramesDepot.__del__ = lambda self: None  # it only makes a coroutine that nobody awaits


async def main() -> None:
    task = json.loads(sys.argv[-1])
    depot = FramesDepot((1920, 1080, 3), task["channel"], max_size=task["depth"])
    memory = SharedMemory(task["channel"])
    try:
        seen = np.frombuffer(memory.buf, np.uint8, task["frameBytes"])
        frames = [np.zeros(task["frameBytes"], np.uint8) for _ in range(task["depth"])]
        source, sink = Source(task), Sink(task)
        while source.next():
            frame = frames[source.number % task["depth"]]
            source.write(frame)
            await depot.enqueue({"frame_number": source.number, "frame": frame})
            depot.get_frame(source.number)
            sink.read(seen)
        del seen
    finally:
        memory.unlink()  # close() waits for its own lock for ever
    memory.close()
    sink.say_outcome()


asyncio.run(main())
