"""arrayqueues: put copies the array into shared memory, get answers a view of it. It raises Full instead of waiting."""

import json
import multiprocessing as mp
import sys
import time
from queue import Full

import numpy as np

np.product = np.prod  # NumPy 2 has dropped the name that arrayqueues 1.4.1 still asks for

from arrayqueues.shared_arrays import ArrayQueue  # noqa: E402
from payload import Sink, Source, end_with_parent  # noqa: E402


def send(task: dict, queue: ArrayQueue, done: mp.Event) -> None:
    end_with_parent()
    frame = np.zeros(task["frameBytes"], np.uint8)
    source = Source(task)
    while source.next():
        source.write(frame)
        while True:
            try:
                queue.put(frame)
                break
            except Full:
                time.sleep(0.0001)
    done.wait()


def main() -> None:
    task = json.loads(sys.argv[-1])
    # One slot is always left empty.
    queue = ArrayQueue(max_mbytes=(task["depth"] + 1) * task["frameBytes"] / 1e6)
    done = mp.Event()
    sender = mp.Process(target=send, args=(task, queue, done), daemon=True)
    sender.start()
    sink = Sink(task)
    while not sink.read(queue.get(timeout=30)):
        pass
    done.set()
    sender.join(2)
    if sender.is_alive():  # its queue's thread may wait for a reader of what nobody reads any more
        sender.kill()
    sink.say_outcome()


if __name__ == "__main__":
    main()
