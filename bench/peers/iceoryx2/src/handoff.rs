//! The bare hand-off: samples of a whole frame's size are loaned and sent, received and dropped, payload untouched.

use crate::payload::{Task, monotonic_ns};
use crate::ports::{Anything, Frames, Node, frames, publisher, say_ready};
use iceoryx2::port::publisher::Publisher;
use iceoryx2::port::subscriber::Subscriber;
use iceoryx2::prelude::*;
use serde_json::json;

struct Ports {
    out: Publisher<ipc::Service, [u8], ()>,
    back: Subscriber<ipc::Service, [u8], ()>,
}

impl Ports {
    fn new(out: &Frames, back: &Frames, task: &Task) -> Anything<Ports> {
        Ok(Ports { out: publisher(out, task)?, back: back.subscriber_builder().create()? })
    }

    fn hand_over(&self, task: &Task) -> Anything<()> {
        unsafe { self.out.loan_slice_uninit(task.frame_bytes)?.assume_init() }.send()?;
        Ok(())
    }

    /// Waits, spinning.
    fn take(&self) -> Anything<()> {
        while self.back.receive()?.is_none() {}
        Ok(())
    }
}

const BATCHES: u32 = 10;

/// Says how long the quickest of some batches took: what disturbs a spinning pair only ever makes it slower.
fn measure(task: &Task, hand_offs: u32, once: impl Fn() -> Anything<()>) -> Anything<()> {
    for _ in 0..task.warmup {
        once()?;
    }
    let mut best = u64::MAX;
    for _ in 0..BATCHES {
        let start_ns = monotonic_ns();
        for _ in 0..task.frames / BATCHES {
            once()?;
        }
        best = best.min(monotonic_ns() - start_ns);
    }
    let count = hand_offs * (task.frames / BATCHES);
    println!("{}", json!({ "frames": count, "seconds": best as f64 / 1e9 }));
    Ok(())
}

/// To and fro between two processes; this is the one that measures. A round is two hand-offs.
pub fn receive(node: &Node, task: &Task) -> Anything<()> {
    let ports = Ports::new(&frames(node, task, "back")?, &frames(node, task, "")?, task)?;
    say_ready();
    ports.take()?;
    measure(task, 2, || {
        ports.hand_over(task)?;
        ports.take()
    })
}

/// The other one.
pub fn send(node: &Node, task: &Task) -> Anything<()> {
    let ports = Ports::new(&frames(node, task, "")?, &frames(node, task, "back")?, task)?;
    ports.hand_over(task)?;
    for _ in 0..task.warmup + task.frames / BATCHES * BATCHES {
        ports.take()?;
        ports.hand_over(task)?;
    }
    Ok(())
}

/// Both ends in one thread.
pub fn alone(node: &Node, task: &Task) -> Anything<()> {
    let frames = frames(node, task, "")?;
    let ports = Ports::new(&frames, &frames, task)?;
    measure(task, 1, || {
        ports.hand_over(task)?;
        ports.take()
    })
}
