"""iceoryx2's Python binding: samples are loaned, written in place, and read in place. No copy.

Waiting for frames is by its event service; a sender that finds the buffer full blocks inside send().
"""

import ctypes
import json
import sys

import iceoryx2 as iox2
import numpy as np
from payload import Sink, Source, say

iox2.set_log_level(iox2.LogLevel.Error)
Frame = iox2.Slice[ctypes.c_uint8]


def array_of(sample, size: int) -> np.ndarray:
    return np.frombuffer((ctypes.c_uint8 * size).from_address(sample.payload_ptr), np.uint8)


def main() -> None:
    role, task = sys.argv[-2], json.loads(sys.argv[-1])
    size, depth = task["frameBytes"], task["depth"]
    node = iox2.NodeBuilder.new().create(iox2.ServiceType.Ipc)
    frames = (
        node.service_builder(iox2.ServiceName.new(task["channel"]))
        .publish_subscribe(Frame)
        .enable_safe_overflow(False)
        .subscriber_max_buffer_size(depth)
        .subscriber_max_borrowed_samples(1)
        .open_or_create()
    )
    events = node.service_builder(iox2.ServiceName.new(task["channel"])).event().open_or_create()
    if role == "send":
        send(task, frames, events, size)
    else:
        receive(task, frames, events, size)


def send(task: dict, frames, events, size: int) -> None:
    publisher = (
        frames.publisher_builder()
        .initial_max_slice_len(size)
        .backpressure_strategy(iox2.BackpressureStrategy.RetryUntilDelivered)
        .create()
    )
    notifier = events.notifier_builder().create()
    source = Source(task)
    while source.next():
        sample = publisher.loan_slice_uninit(size)
        source.write(array_of(sample, size))
        sample.assume_init().send()
        notifier.notify()


def receive(task: dict, frames, events, size: int) -> None:
    subscriber = frames.subscriber_builder().create()
    listener = events.listener_builder().create()
    say({"ready": True})
    sink = Sink(task)
    last = False
    while not last:
        sample = subscriber.receive()
        if sample is None:
            listener.timed_wait(iox2.Duration.from_millis(1000))
            continue
        last = sink.read(array_of(sample, size))
        sample.delete()
    sink.say_outcome()


main()
