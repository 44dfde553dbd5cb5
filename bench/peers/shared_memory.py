"""multiprocessing.shared_memory with a Queue each way: slots that are full, slots that are free. No copy.

In the bare hand-off the number of a slot goes to and fro, and nobody touches the slot.
"""

import json
import multiprocessing as mp
import sys
from multiprocessing.shared_memory import SharedMemory

import numpy as np
from payload import Sink, Source, end_with_parent, measure, rounds_of


def slots(memory: SharedMemory, task: dict) -> list[np.ndarray]:
    size = task["frameBytes"]
    return [np.frombuffer(memory.buf, np.uint8, size, n * size) for n in range(task["depth"])]


def send(task: dict, name: str, full: mp.Queue, free: mp.Queue) -> None:
    end_with_parent()
    memory = SharedMemory(name)
    frames = slots(memory, task)
    source = Source(task)
    while source.next():
        slot = free.get()
        source.write(frames[slot])
        full.put(slot)
    frames.clear()
    memory.close()


def send_back(rounds: int, there: mp.Queue, back: mp.Queue) -> None:
    end_with_parent()
    for _ in range(rounds):
        back.put(there.get())


def hand_to_and_fro(task: dict) -> None:
    there, back = mp.Queue(), mp.Queue()
    other = mp.Process(target=send_back, args=(rounds_of(task), there, back), daemon=True)
    other.start()

    def once() -> None:
        there.put(0)
        back.get()

    measure(task, 2, once)
    other.join()


def main() -> None:
    task = json.loads(sys.argv[-1])
    mp.set_start_method("spawn")
    if task["kind"] == "handoff":
        return hand_to_and_fro(task)
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
