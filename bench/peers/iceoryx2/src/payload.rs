//! payload.ts for the peer that is Rust: the same bytes, the same sum, the same line of JSON at the end.

use serde_json::{Value, json};
use std::time::Duration;

/// Words of 32 bits in a cache line.
const LINE: usize = 16;

fn pattern_of(number: u32) -> u8 {
    (number.wrapping_mul(37).wrapping_add(11) & 255) as u8
}

pub fn monotonic_ns() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut time) };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

pub struct Task {
    pub steady: bool,
    pub handoff: bool,
    pub seconds: f64,
    pub frames: u32,
    pub fps: f64,
    pub warmup: u32,
    pub frame_bytes: usize,
    pub depth: usize,
    pub channel: String,
    pub folder: String,
}

impl Task {
    pub fn parse(json: &str) -> Task {
        let task: Value = serde_json::from_str(json).expect("a task");
        let number = |name: &str| task[name].as_f64().unwrap_or_else(|| panic!("a task with {name}"));
        Task {
            steady: task["kind"] == "latency",
            handoff: task["kind"] == "handoff",
            seconds: number("seconds"),
            frames: number("frames") as u32,
            fps: number("fps"),
            warmup: number("warmup") as u32,
            frame_bytes: number("frameBytes") as usize,
            depth: number("depth") as usize,
            channel: task["channel"].as_str().expect("a task with a channel").into(),
            folder: task["folder"].as_str().expect("a task with a folder").into(),
        }
    }
}

/// The frames to be sent, one after the other.
pub struct Source<'a> {
    task: &'a Task,
    number: u32,
    started: bool,
    last: bool,
    start_ns: u64,
}

impl Source<'_> {
    pub fn new(task: &Task) -> Source<'_> {
        Source { task, number: 0, started: false, last: false, start_ns: 0 }
    }

    /// Moves on to the next frame; in a test of latency it waits until that is due. False after the last one.
    pub fn next(&mut self) -> bool {
        let task = self.task;
        if self.last {
            return false;
        }
        if self.started {
            self.number += 1;
        }
        self.started = true;
        let Some(counted) = self.number.checked_sub(task.warmup) else {
            return true;
        };
        if counted == 0 {
            self.start_ns = monotonic_ns();
        }
        if task.steady {
            let due_ns = self.start_ns + (counted as f64 * 1e9 / task.fps) as u64;
            std::thread::sleep(Duration::from_nanos(due_ns.saturating_sub(monotonic_ns())));
            self.last = counted == task.frames - 1;
        } else if counted > 0 {
            self.last = (monotonic_ns() - self.start_ns) as f64 > task.seconds * 1e9;
        }
        true
    }

    /// Writes the frame, and at last when that was.
    pub fn write(&self, frame: &mut [u8]) {
        frame.fill(pattern_of(self.number));
        frame[0..4].copy_from_slice(&self.number.to_le_bytes());
        frame[4..8].copy_from_slice(&(self.last as u32).to_le_bytes());
        frame[8..16].copy_from_slice(&monotonic_ns().to_le_bytes());
    }
}

/// The frames received: each is checked, and counts once the warm-up is over.
pub struct Sink<'a> {
    task: &'a Task,
    next: u32,
    start_ns: u64,
    end_ns: u64,
    arrived_ns: Vec<u64>,
    read_ns: Vec<u64>,
}

impl Sink<'_> {
    pub fn new(task: &Task) -> Sink<'_> {
        Sink { task, next: 0, start_ns: 0, end_ns: 0, arrived_ns: Vec::new(), read_ns: Vec::new() }
    }

    /// Reads a frame. Tells whether it was the last; panics when it is not what was written.
    pub fn read(&mut self, frame: &[u8]) -> bool {
        let arrived_ns = monotonic_ns();
        let word = |at: usize| u32::from_le_bytes(frame[at..at + 4].try_into().unwrap());
        let sum = (0..frame.len()).step_by(4 * LINE).fold(0u32, |sum, at| sum.wrapping_add(word(at)));
        let read_ns = monotonic_ns();
        let number = word(0);
        let lines = frame.len().div_ceil(4 * LINE) as u32;
        let pattern = pattern_of(number) as u32 * 0x01010101;
        let expected = number.wrapping_add((lines - 1).wrapping_mul(pattern));
        assert!(
            number == self.next && sum == expected && frame.len() == self.task.frame_bytes,
            "wrong checksum: frame {number} instead of {}, sum {sum} instead of {expected}",
            self.next
        );
        self.next += 1;
        self.end_ns = read_ns;
        if number == self.task.warmup {
            self.start_ns = read_ns;
        }
        if number >= self.task.warmup && self.task.steady {
            let written_ns = u64::from_le_bytes(frame[8..16].try_into().unwrap());
            self.arrived_ns.push(arrived_ns - written_ns);
            self.read_ns.push(read_ns - written_ns);
        }
        word(4) == 1
    }

    pub fn say_outcome(&self) {
        let frames = self.next - 1 - self.task.warmup;
        let seconds = (self.end_ns - self.start_ns) as f64 / 1e9;
        let outcome =
            json!({ "frames": frames, "seconds": seconds, "arrivedNs": self.arrived_ns, "readNs": self.read_ns });
        println!("{outcome}");
    }
}
