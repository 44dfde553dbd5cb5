//! iceoryx2 in its own language: samples are loaned, written in place and read in place. No copy.
//!
//! `send` and `receive` move frames; waiting is by the event service. `ping` and `pong` hand samples to and fro, spinning,
//! without touching their payload: ping sends the first one and measures.

mod payload;

use core::time::Duration;
use iceoryx2::port::publisher::Publisher;
use iceoryx2::port::subscriber::Subscriber;
use iceoryx2::prelude::*;
use payload::{Sink, Source, Task, monotonic_ns};
use serde_json::json;

type Anything<T> = Result<T, Box<dyn core::error::Error>>;
type Ports = (Publisher<ipc::Service, [u8], ()>, Subscriber<ipc::Service, [u8], ()>);

fn say_ready() {
    println!("{}", json!({ "ready": true }));
}

type Frames = iceoryx2::service::port_factory::publish_subscribe::PortFactory<ipc::Service, [u8], ()>;

fn frames(node: &Node<ipc::Service>, task: &Task, suffix: &str) -> Anything<Frames> {
    let name = format!("{}{suffix}", task.channel);
    let service = node.service_builder(&name.as_str().try_into()?).publish_subscribe::<[u8]>();
    let service = service.enable_safe_overflow(false).subscriber_max_buffer_size(task.depth);
    Ok(service.subscriber_max_borrowed_samples(2).open_or_create()?)
}

fn publisher(frames: &Frames, task: &Task) -> Anything<Publisher<ipc::Service, [u8], ()>> {
    let builder = frames.publisher_builder().initial_max_slice_len(task.frame_bytes);
    Ok(builder.backpressure_strategy(BackpressureStrategy::RetryUntilDelivered).create()?)
}

fn send(node: &Node<ipc::Service>, task: &Task) -> Anything<()> {
    let publisher = publisher(&frames(node, task, "")?, task)?;
    let events = node.service_builder(&task.channel.as_str().try_into()?).event().open_or_create()?;
    let notifier = events.notifier_builder().create()?;
    let mut source = Source::new(task);
    while source.next() {
        let mut sample = unsafe { publisher.loan_slice_uninit(task.frame_bytes)?.assume_init() };
        source.write(sample.payload_mut());
        sample.send()?;
        notifier.notify()?;
    }
    Ok(())
}

fn receive(node: &Node<ipc::Service>, task: &Task) -> Anything<()> {
    let subscriber = frames(node, task, "")?.subscriber_builder().create()?;
    let events = node.service_builder(&task.channel.as_str().try_into()?).event().open_or_create()?;
    let listener = events.listener_builder().create()?;
    say_ready();
    let mut sink = Sink::new(task);
    loop {
        match subscriber.receive()? {
            Some(sample) if sink.read(sample.payload()) => break,
            Some(_) => {}
            None => drop(listener.timed_wait(|_| {}, Duration::from_secs(1))?),
        }
    }
    sink.say_outcome();
    Ok(())
}

fn ports(node: &Node<ipc::Service>, task: &Task, out: &str, back: &str) -> Anything<Ports> {
    Ok((
        publisher(&frames(node, task, out)?, task)?,
        frames(node, task, back)?.subscriber_builder().create()?,
    ))
}

fn hand_over((publisher, _): &Ports, task: &Task) -> Anything<()> {
    unsafe { publisher.loan_slice_uninit(task.frame_bytes)?.assume_init() }.send()?;
    Ok(())
}

fn take((_, subscriber): &Ports) -> Anything<()> {
    while subscriber.receive()?.is_none() {}
    Ok(())
}

fn ping(node: &Node<ipc::Service>, task: &Task) -> Anything<()> {
    let ports = ports(node, task, "-ping", "-pong")?;
    let mut start_ns = 0;
    for turn in 0..task.warmup + task.frames {
        if turn == task.warmup {
            start_ns = monotonic_ns();
        }
        hand_over(&ports, task)?;
        take(&ports)?;
    }
    let seconds = (monotonic_ns() - start_ns) as f64 / 1e9;
    println!("{}", json!({ "frames": task.frames, "seconds": seconds, "arrivedNs": [], "readNs": [] }));
    Ok(())
}

fn pong(node: &Node<ipc::Service>, task: &Task) -> Anything<()> {
    let ports = ports(node, task, "-pong", "-ping")?;
    say_ready();
    for _ in 0..task.warmup + task.frames {
        take(&ports)?;
        hand_over(&ports, task)?;
    }
    Ok(())
}

fn main() -> Anything<()> {
    set_log_level(LogLevel::Error);
    let arguments: Vec<String> = std::env::args().collect();
    let task = Task::parse(&arguments[2]);
    let node = NodeBuilder::new().signal_handling_mode(SignalHandlingMode::Disabled).create::<ipc::Service>()?;
    match arguments[1].as_str() {
        "send" => send(&node, &task),
        "receive" => receive(&node, &task),
        "ping" => ping(&node, &task),
        "pong" => pong(&node, &task),
        role => Err(format!("unknown role {role}").into()),
    }
}
