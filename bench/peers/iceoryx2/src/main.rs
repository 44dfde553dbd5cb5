//! iceoryx2 in its own language: samples are loaned, written in place and read in place. No copy. Waiting for frames is
//! by its event service.
//!
//!     frames-depot-bench-iceoryx2 send|receive|alone TASK

mod handoff;
mod payload;
mod ports;

use core::time::Duration;
use iceoryx2::prelude::*;
use payload::{Sink, Source, Task};
use ports::{Anything, Node, frames, publisher, say_ready};

const EVENTS: &str = "frames";

fn send(node: &Node, task: &Task) -> Anything<()> {
    let publisher = publisher(&frames(node, task, "")?, task)?;
    let events = node.service_builder(&EVENTS.try_into()?).event().open_or_create()?;
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

fn receive(node: &Node, task: &Task) -> Anything<()> {
    let subscriber = frames(node, task, "")?.subscriber_builder().create()?;
    let events = node.service_builder(&EVENTS.try_into()?).event().open_or_create()?;
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

fn main() -> Anything<()> {
    set_log_level(LogLevel::Error);
    let arguments: Vec<String> = std::env::args().collect();
    let task = Task::parse(&arguments[2]);
    let node = ports::node(&task)?;
    match (arguments[1].as_str(), task.handoff) {
        ("send", false) => send(&node, &task),
        ("receive", false) => receive(&node, &task),
        ("send", true) => handoff::send(&node, &task),
        ("receive", true) => handoff::receive(&node, &task),
        ("alone", true) => handoff::alone(&node, &task),
        (role, _) => Err(format!("unknown role {role}").into()),
    }
}
