"""multiprocessing.shared_memory with a Queue each way: slots that are full, slots that are free. No copy."""

import json
import multiprocessing as mp
import sys
from multiprocessing.shared_memory import SharedMemory

import numpy as np
from payload import Sink, Source


def slots(memory: SharedMemory, task: dict) -> list[np.ndarray]:
    size = task["frameBytes"]
    return [np.frombuffer(memory.buf, np.uint8, size, n * size) for n in range(task["depth"])]


def send(task: dict, name: str, full: mp.Queue, free: mp.Queue) -> None:
    memory = SharedMemory(name)
    frames = slots(memory, task)
    source = Source(task)
    while source.next():
        slot = free.get()
        source.write(frames[slot])
        full.put(slot)
    frames.clear()
    memory.close()


def main() -> None:
    task = json.loads(sys.argv[-1])
    mp.set_start_method("spawn")
    memory = SharedMemory(task["channel"], create=True, size=task["depth"] * task["frameBytes"])
    full, free = mp.Queue(), mp.Queue()
    sender = mp.Process(target=send, args=(task, memory.name, full, free), daemon=True)
    try:
        for slot in range(task["depth"]):
            free.put(slot)
        sender.start()
        frames = slots(memory, task)
        sink = Sink(task)
        last = False
        while not last:
            slot = full.get()
            last = sink.read(frames[slot])
            free.put(slot)
        frames.clear()
        sender.join()
    finally:
        if sender.is_alive():
            sender.kill()
        memory.unlink()
    memory.close()
    sink.say_outcome()


if __name__ == "__main__":
    main()
