"""iceoryx2's Python binding: samples are loaned, written in place, and read in place. No copy.

Waiting for frames is by its event service; a sender that finds the buffer full blocks inside send(). The bare hand-off is
iceoryx2/src/handoff.rs.
"""

import ctypes
import json
import sys

import iceoryx2 as iox2
import numpy as np
from payload import Sink, Source, measure, rounds_of, say

iox2.set_log_level(iox2.LogLevel.Error)
Frame = iox2.Slice[ctypes.c_uint8]


def array_of(sample, size: int) -> np.ndarray:
    return np.frombuffer((ctypes.c_uint8 * size).from_address(sample.payload_ptr), np.uint8)


def node_of(task: dict):
    """A node whose files are the task's own, so that none is left behind whatever happens."""
    config = iox2.config.default()
    config.global_cfg.prefix = iox2.FileName.new(task["channel"])
    config.global_cfg.root_path = iox2.Path.new(task["folder"])
    builder = iox2.NodeBuilder.new().config(config).signal_handling_mode(iox2.SignalHandlingMode.Disabled)
    return builder.create(iox2.ServiceType.Ipc)


def frames_of(node, task: dict, name: str = ""):
    return (
        node.service_builder(iox2.ServiceName.new(f"frames{name}"))
        .publish_subscribe(Frame)
        .enable_safe_overflow(False)
        .subscriber_max_buffer_size(task["depth"])
        .subscriber_max_borrowed_samples(2)
        .open_or_create()
    )


def publisher_of(frames, task: dict):
    return (
        frames.publisher_builder()
        .initial_max_slice_len(task["frameBytes"])
        .backpressure_strategy(iox2.BackpressureStrategy.RetryUntilDelivered)
        .create()
    )


def events_of(node):
    return node.service_builder(iox2.ServiceName.new("frames")).event().open_or_create()


def send(task: dict, node) -> None:
    size = task["frameBytes"]
    publisher = publisher_of(frames_of(node, task), task)
    notifier = events_of(node).notifier_builder().create()
    source = Source(task)
    while source.next():
        sample = publisher.loan_slice_uninit(size)
        source.write(array_of(sample, size))
        sample.assume_init().send()
        notifier.notify()


def receive(task: dict, node) -> None:
    size = task["frameBytes"]
    subscriber = frames_of(node, task).subscriber_builder().create()
    listener = events_of(node).listener_builder().create()
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


def hand_over(publisher, size: int) -> None:
    publisher.loan_slice_uninit(size).assume_init().send()


def take(subscriber) -> None:
    while True:
        sample = subscriber.receive()
        if sample is not None:
            return sample.delete()


def hand_to_and_fro(role: str, task: dict, node) -> None:
    size = task["frameBytes"]
    out, back = {"send": ("", "back"), "receive": ("back", ""), "alone": ("", "")}[role]
    publisher = publisher_of(frames_of(node, task, out), task)
    subscriber = frames_of(node, task, back).subscriber_builder().create()

    def once() -> None:
        hand_over(publisher, size)
        take(subscriber)

    if role == "receive":
        say({"ready": True})
        take(subscriber)
    if role == "send":
        for _ in range(rounds_of(task)):
            once()
        hand_over(publisher, size)
    else:
        measure(task, 1 if role == "alone" else 2, once)


def main() -> None:
    role, task = sys.argv[-2], json.loads(sys.argv[-1])
    node = node_of(task)
    if task["kind"] == "handoff":
        hand_to_and_fro(role, task, node)
    elif role == "send":
        send(task, node)
    else:
        receive(task, node)


main()
